package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// user owns nothing in the image and has no meaning: Kubernetes may replace it by any other.
const user = "65532:65532"

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// built is a program for an architecture, by its name in OCI and Go.
type built struct {
	architecture string
	bytes        []byte
}

type image struct {
	name, entrypoint    string
	environment, labels pairs
	programs            []built
	created             time.Time
}

// A descriptor names bytes by their digest.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        *descriptor       `json:"config,omitempty"`
	Layers        []descriptor      `json:"layers,omitempty"`
	Manifests     []descriptor      `json:"manifests,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type config struct {
	Created      string  `json:"created"`
	Architecture string  `json:"architecture"`
	OS           string  `json:"os"`
	Config       process `json:"config"`
	RootFS       rootFS  `json:"rootfs"`
	History      []step  `json:"history"`
}

type process struct {
	User       string            `json:"User"`
	Env        []string          `json:"Env,omitempty"`
	Entrypoint []string          `json:"Entrypoint"`
	WorkingDir string            `json:"WorkingDir"`
	Labels     map[string]string `json:"Labels,omitempty"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type step struct {
	Created   string `json:"created"`
	CreatedBy string `json:"created_by"`
}

// files is the layout: path to content.
type files map[string][]byte

func digestOf(bytes []byte) string {
	sum := sha256.Sum256(bytes)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (f files) add(mediaType string, bytes []byte) descriptor {
	digest := digestOf(bytes)
	f["blobs/sha256/"+strings.TrimPrefix(digest, "sha256:")] = bytes
	return descriptor{MediaType: mediaType, Digest: digest, Size: len(bytes)}
}

func (f files) addJSON(mediaType string, value any) (descriptor, error) {
	text, err := json.Marshal(value) // maps come sorted
	return f.add(mediaType, text), err
}

// pack returns the archive and the digest by which registries and nodes know the image.
func (i image) pack() ([]byte, string, error) {
	layout := files{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)}
	var found []descriptor
	for _, program := range i.programs {
		one, err := i.add(layout, program)
		if err != nil {
			return nil, "", err
		}
		found = append(found, one)
	}
	top := found[0]
	if len(found) > 1 {
		index, err := layout.addJSON(indexType, manifest{SchemaVersion: 2, MediaType: indexType, Manifests: found})
		if err != nil {
			return nil, "", err
		}
		top = index
	}
	_, tag, _ := strings.Cut(path.Base(i.name), ":")
	top.Annotations = map[string]string{
		"io.containerd.image.name":          familiar(i.name),
		"org.opencontainers.image.ref.name": tag,
	}
	index, err := json.Marshal(manifest{SchemaVersion: 2, MediaType: indexType, Manifests: []descriptor{top}})
	if err != nil {
		return nil, "", err
	}
	layout["index.json"] = index
	archive, err := layout.archive(i.created)
	return archive, top.Digest, err
}

// familiar is the full name of an image, as nodes know it: `clientele:1` is `docker.io/library/clientele:1`.
func familiar(name string) string {
	first, _, found := strings.Cut(name, "/")
	switch {
	case !found:
		return "docker.io/library/" + name
	case strings.ContainsAny(first, ".:") || first == "localhost":
		return name
	}
	return "docker.io/" + name
}

func (i image) add(layout files, program built) (descriptor, error) {
	if err := program.runsAlone(); err != nil {
		return descriptor{}, err
	}
	layer, err := i.layer(program.bytes)
	if err != nil {
		return descriptor{}, err
	}
	packed, err := compressed(layer)
	if err != nil {
		return descriptor{}, err
	}
	created := i.created.Format(time.RFC3339)
	labels := map[string]string{}
	for _, label := range i.labels {
		labels[label[0]] = label[1]
	}
	var environment []string
	for _, variable := range i.environment {
		environment = append(environment, variable[0]+"="+variable[1])
	}
	settings, err := layout.addJSON(configType, config{
		Created: created, Architecture: program.architecture, OS: "linux",
		Config:  process{User: user, Env: environment, Entrypoint: []string{i.entrypoint}, WorkingDir: "/", Labels: labels},
		RootFS:  rootFS{Type: "layers", DiffIDs: []string{digestOf(layer)}},
		History: []step{{Created: created, CreatedBy: "one static program"}},
	})
	if err != nil {
		return descriptor{}, err
	}
	layers := []descriptor{layout.add(layerType, packed)}
	one, err := layout.addJSON(manifestType, manifest{
		SchemaVersion: 2, MediaType: manifestType, Config: &settings, Layers: layers, Annotations: labels,
	})
	one.Platform = &platform{Architecture: program.architecture, OS: "linux"}
	return one, err
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// runsAlone refuses what an image without a C library cannot start.
func (b built) runsAlone() error {
	program, err := elf.NewFile(bytes.NewReader(b.bytes))
	if err != nil {
		return fmt.Errorf("the program for %s is no ELF file: %w", b.architecture, err)
	}
	if program.Machine != machines[b.architecture] {
		return fmt.Errorf("the program for %s is for %v: build it for %s", b.architecture, program.Machine, b.architecture)
	}
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("the program for %s is linked dynamically: build it for a musl target", b.architecture)
		}
	}
	return nil
}

// layer is a tar with the program and the folders above it, all of root, none writable.
func (i image) layer(program []byte) ([]byte, error) {
	var layer bytes.Buffer
	writer := tar.NewWriter(&layer)
	name := strings.TrimPrefix(path.Clean(i.entrypoint), "/")
	var folders []string
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		folders = append(folders, folder)
	}
	for _, folder := range slices.Backward(folders) {
		if err := writer.WriteHeader(i.entry(tar.TypeDir, folder+"/", 0o555, 0)); err != nil {
			return nil, err
		}
	}
	if err := writer.WriteHeader(i.entry(tar.TypeReg, name, 0o555, len(program))); err != nil {
		return nil, err
	}
	if _, err := writer.Write(program); err != nil {
		return nil, err
	}
	err := writer.Close()
	return layer.Bytes(), err
}

func (i image) entry(kind byte, name string, mode int64, size int) *tar.Header {
	return &tar.Header{Typeflag: kind, Name: name, Mode: mode, Size: int64(size), ModTime: i.created, Format: tar.FormatUSTAR}
}

// compressed has neither name nor time in its header.
func compressed(layer []byte) ([]byte, error) {
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(layer); err != nil {
		return nil, err
	}
	err = writer.Close()
	return packed.Bytes(), err
}

func (f files) archive(created time.Time) ([]byte, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: name, Mode: 0o444, Size: int64(len(f[name])), ModTime: created, Format: tar.FormatUSTAR,
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(f[name]); err != nil {
			return nil, err
		}
	}
	err := writer.Close()
	return archive.Bytes(), err
}
