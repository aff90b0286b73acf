package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
)

// program is the header of an ELF file without any part, which is static.
func program(machine elf.Machine, parts ...elf.ProgType) []byte {
	var text bytes.Buffer
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(parts)),
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA], header.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	binary.Write(&text, binary.LittleEndian, header)
	for _, part := range parts {
		binary.Write(&text, binary.LittleEndian, elf.Prog64{Type: uint32(part)})
	}
	return text.Bytes()
}

func example() image {
	return image{
		name: "clientele:0.1.0", entrypoint: "/clientele", labels: pairs{{"b", "2"}, {"a", "1"}},
		programs: []built{{"amd64", program(elf.EM_X86_64)}}, created: time.Unix(1_700_000_000, 0).UTC(),
	}
}

func packed(t *testing.T, image image) ([]byte, string) {
	t.Helper()
	archive, digest, err := image.pack()
	if err != nil {
		t.Fatal(err)
	}
	return archive, digest
}

func unpacked(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheSameProgramGivesTheSameBytes(t *testing.T) {
	first, digest := packed(t, example())
	second, again := packed(t, example())
	if !bytes.Equal(first, second) || digest != again {
		t.Fatal("two runs of the same differ")
	}
	other := example()
	other.programs[0].bytes = append(other.programs[0].bytes, 0)
	if _, changed := packed(t, other); changed == digest {
		t.Fatal("another program has the same digest")
	}
	later := example()
	later.created = later.created.Add(time.Second)
	if _, changed := packed(t, later); changed == digest {
		t.Fatal("another time has the same digest")
	}
}

// Every digest is that of bytes in the archive, from the index down to the program.
func TestTheArchiveHoldsWhatItNames(t *testing.T) {
	archive, digest := packed(t, example())
	layout := unpacked(t, archive)
	blob := func(digest string) []byte {
		bytes, found := layout["blobs/sha256/"+strings.TrimPrefix(digest, "sha256:")]
		if !found || digestOf(bytes) != digest {
			t.Fatalf("%s is not there", digest)
		}
		return bytes
	}
	var index, one manifest
	var settings config
	for value, text := range map[any][]byte{&index: layout["index.json"], &one: blob(digest)} {
		if err := json.Unmarshal(text, value); err != nil {
			t.Fatal(err)
		}
	}
	if index.Manifests[0].Digest != digest || index.Manifests[0].Annotations["io.containerd.image.name"] != "docker.io/library/clientele:0.1.0" {
		t.Fatalf("%+v", index)
	}
	if err := json.Unmarshal(blob(one.Config.Digest), &settings); err != nil {
		t.Fatal(err)
	}
	if settings.Config.User != "65532:65532" || settings.Config.Entrypoint[0] != "/clientele" || settings.Config.Labels["a"] != "1" {
		t.Fatalf("%+v", settings)
	}
	layer, err := gzip.NewReader(bytes.NewReader(blob(one.Layers[0].Digest)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(layer)
	if err != nil || digestOf(text) != settings.RootFS.DiffIDs[0] {
		t.Fatal("the layer is another than the configuration says")
	}
	header, err := tar.NewReader(bytes.NewReader(text)).Next()
	if err != nil || header.Name != "clientele" || header.Mode != 0o555 || header.Uid != 0 || header.ModTime.Unix() != 1_700_000_000 {
		t.Fatalf("%+v %v", header, err)
	}
}

func TestSeveralArchitecturesAreOneImage(t *testing.T) {
	both := example()
	both.programs = append(both.programs, built{"arm64", program(elf.EM_AARCH64)})
	archive, digest := packed(t, both)
	var index manifest
	if err := json.Unmarshal(unpacked(t, archive)["blobs/sha256/"+strings.TrimPrefix(digest, "sha256:")], &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Manifests) != 2 || index.Manifests[1].Platform.Architecture != "arm64" {
		t.Fatalf("%+v", index)
	}
}

func TestWhatCannotStartIsRefused(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"no ELF file": []byte("#!/bin/sh"), "is for EM_AARCH64": program(elf.EM_AARCH64),
		"linked dynamically": program(elf.EM_X86_64, elf.PT_INTERP),
	} {
		refused := example()
		refused.programs[0].bytes = bytes
		if _, _, err := refused.pack(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNamesAreThoseThatNodesKnow(t *testing.T) {
	for name, full := range map[string]string{
		"clientele:1": "docker.io/library/clientele:1", "team/clientele:1": "docker.io/team/clientele:1",
		"registry.example.com/clientele:1": "registry.example.com/clientele:1", "localhost/clientele:1": "localhost/clientele:1",
	} {
		if familiar(name) != full {
			t.Errorf("%s: %s", name, familiar(name))
		}
	}
}
