package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// install makes the environment and puts the locked packages and our own into it.
func install(ctx context.Context, env string, py Python, out *progress) error {
	tmp, err := os.MkdirTemp("", "millpond-runtime-")
	if err != nil {
		return fmt.Errorf("prepare to install: %w", err)
	}
	defer os.RemoveAll(tmp) // what stays is in the system's temporary directory
	lock, wheel, err := unpack(tmp)
	if err != nil {
		return err
	}
	i := &installer{env: env, python: filepath.Join(env, "bin", "python"), out: out}
	if err := i.begin(ctx, py, tmp); err != nil {
		return err
	}
	if err := i.locked(ctx, lock); err != nil {
		return err
	}
	return i.own(ctx, wheel)
}

// unpack writes out what the program has embedded.
func unpack(dir string) (lock, own string, err error) {
	name, content, err := wheel()
	if err != nil {
		return "", "", err
	}
	lock, own = filepath.Join(dir, "requirements.lock"), filepath.Join(dir, name)
	if err := errors.Join(os.WriteFile(lock, requirements, 0o600), os.WriteFile(own, content, 0o600)); err != nil {
		return "", "", fmt.Errorf("prepare to install: %w", err)
	}
	return lock, own, nil
}

// installer fills one environment, with uv if it can: that is many times faster than pip.
type installer struct {
	env    string
	python string // the environment's
	uv     string // "" for pip
	out    *progress
}

// begin makes the empty environment and finds uv: the machine's, or else one installed there.
func (i *installer) begin(ctx context.Context, py Python, tmp string) error {
	if uv, err := exec.LookPath("uv"); err == nil {
		i.uv = uv
		return i.out.run(ctx, command{name: uv, args: []string{"venv", "--quiet", "--no-project", "--python", py.Path, i.env}, env: indexes()})
	}
	err := i.out.run(ctx, command{name: py.Path, args: []string{"-m", "venv", i.env}})
	if err != nil {
		return fmt.Errorf("%w\nPython %s cannot make virtual environments; on Debian and Ubuntu install python%s-venv", err, py.Version, MajorMinor(py.Version))
	}
	own := filepath.Join(tmp, "uv.lock")
	if err := os.WriteFile(own, lockOf("uv"), 0o600); err != nil {
		return fmt.Errorf("prepare to install: %w", err)
	}
	i.out.say("installing uv (there is none on the PATH)")
	if err := i.out.run(ctx, command{name: i.python, args: []string{"-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", own}}); err != nil {
		i.out.say("there is no uv to be had; pip will do, but slowly")
		return ctx.Err()
	}
	i.uv = filepath.Join(i.env, "bin", "uv")
	return nil
}

// locked installs the packages of the lock. What uv cannot do pip may: it reads settings, such as
// those of a company's own index, that uv does not.
func (i *installer) locked(ctx context.Context, lock string) error {
	if i.uv != "" {
		i.out.say("installing %d packages with uv (some 900 MB to download the first time)", packages())
		err := i.out.run(ctx, command{name: i.uv, args: []string{"pip", "install", "--python", i.python, "--require-hashes", "--compile-bytecode", "--requirement", lock}, env: indexes(), show: true})
		if err == nil || ctx.Err() != nil {
			return err
		}
		i.out.say("uv failed, trying pip: %v", err)
		if err := i.out.run(ctx, command{name: i.python, args: []string{"-m", "ensurepip", "--upgrade"}}); err != nil {
			return err
		}
	}
	i.out.say("installing %d packages with pip (some 900 MB to download the first time)", packages())
	return i.out.run(ctx, command{name: i.python, args: []string{"-m", "pip", "install", "--require-hashes", "--requirement", lock}})
}

// own installs our own package.
func (i *installer) own(ctx context.Context, wheel string) error {
	if i.uv != "" {
		return i.out.run(ctx, command{name: i.uv, args: []string{"pip", "install", "--quiet", "--python", i.python, "--no-deps", "--no-index", "--compile-bytecode", wheel}})
	}
	return i.out.run(ctx, command{name: i.python, args: []string{"-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel}})
}

// pipToUV are the settings of pip that uv has under other names.
var pipToUV = map[string]string{
	"PIP_INDEX_URL":       "UV_DEFAULT_INDEX",
	"PIP_EXTRA_INDEX_URL": "UV_INDEX",
	"PIP_FIND_LINKS":      "UV_FIND_LINKS",
	"PIP_CERT":            "SSL_CERT_FILE",
	"PIP_DEFAULT_TIMEOUT": "UV_HTTP_TIMEOUT",
}

// indexes tells uv what the environment tells pip.
func indexes() []string {
	var env []string
	for pip, uv := range pipToUV {
		if v := os.Getenv(pip); v != "" && os.Getenv(uv) == "" {
			env = append(env, uv+"="+v)
		}
	}
	return env
}
