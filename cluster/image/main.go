// Command image packs static programs into an OCI image, without docker and without a registry: an archive that
// `ctr images import`, `crane push`, `skopeo copy oci-archive:` and `podman load` read. It prints the digest.
//
// The same programs, names and epoch give the same bytes on every machine: nothing of the machine gets in.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const usage = `image packs static programs into an OCI archive and prints its digest.

  go -C cluster run ./image --program amd64=PATH [--program arm64=PATH] --name clientele:0.1.0 --output FILE
    --program ARCH=PATH   the program for this architecture; several make an image for several architectures
    --name NAME:TAG       what the image is called where it is imported
    --output FILE         the archive
    --entrypoint PATH     where the program lies in the image (default: / and the first part of NAME's last segment)
    --env NAME=VALUE      the environment of the program; may be repeated
    --label NAME=VALUE    a label; may be repeated
    --epoch SECONDS       the time of everything in it (default: SOURCE_DATE_EPOCH, else 0)
`

func main() {
	digest, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "image: %v\n", err)
		os.Exit(1)
	}
	fmt.Println(digest)
}

// pairs collects NAME=VALUE in their order.
type pairs [][2]string

func (p *pairs) String() string { return fmt.Sprint(*p) }

func (p *pairs) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return fmt.Errorf("%q is not NAME=VALUE", text)
	}
	*p = append(*p, [2]string{name, value})
	return nil
}

func run(arguments []string) (string, error) {
	var programs, environment, labels pairs
	set := flag.NewFlagSet("image", flag.ContinueOnError)
	set.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	set.Var(&programs, "program", "")
	set.Var(&environment, "env", "")
	set.Var(&labels, "label", "")
	name := set.String("name", "", "")
	output := set.String("output", "", "")
	entrypoint := set.String("entrypoint", "", "")
	epoch := set.String("epoch", os.Getenv("SOURCE_DATE_EPOCH"), "")
	if err := set.Parse(arguments); err != nil {
		return "", err
	}
	if len(programs) == 0 || *name == "" || *output == "" || set.NArg() > 0 {
		return "", errors.New("--program, --name and --output are needed, and nothing else; --help tells more")
	}
	seconds := int64(0)
	if *epoch != "" {
		var err error
		if seconds, err = strconv.ParseInt(*epoch, 10, 64); err != nil || seconds < 0 {
			return "", fmt.Errorf("the epoch %q is not a number of seconds", *epoch)
		}
	}
	image := image{
		name: *name, entrypoint: *entrypoint, environment: environment, labels: labels, created: time.Unix(seconds, 0).UTC(),
	}
	if image.entrypoint == "" {
		last, _, _ := strings.Cut(filepath.Base(*name), ":")
		image.entrypoint = "/" + last
	}
	for _, program := range programs {
		bytes, err := os.ReadFile(program[1])
		if err != nil {
			return "", err
		}
		image.programs = append(image.programs, built{architecture: program[0], bytes: bytes})
	}
	layout, digest, err := image.pack()
	if err != nil {
		return "", err
	}
	return digest, writeWhole(*output, layout)
}

// writeWhole writes under another name and renames, so that the name only ever is a whole archive.
func writeWhole(path string, bytes []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".partial", bytes, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".partial", path)
}
