// Package seal makes short secrets unreadable where they are kept.
//
// In come a secret and the place it is kept at; out comes a text that opens only
// with the key, and only for that place. The key is what the operator gives, or
// a file that is made when the first secret is sealed: whoever has the records
// without the key has no secrets. The package does not know what they are for.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const keySize = 32 // AES-256

// Box seals and opens secrets.
type Box struct {
	file string // of the key, if the operator gave none

	mu   sync.Mutex
	aead cipher.AEAD // nil until the key has been read or made
}

// New makes a box with a key, 32 bytes as base64 in either alphabet, or ("")
// with the key of a file.
func New(key, file string) (*Box, error) {
	b := &Box{file: file}
	if key == "" {
		return b, nil
	}
	var err error
	b.aead, err = parseKey(key)
	return b, err
}

func parseKey(text string) (cipher.AEAD, error) {
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
	key, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("a key is %d bytes as base64", keySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Seal encrypts a secret for a place.
func (b *Box) Seal(secret []byte, place string) (string, error) {
	aead, err := b.key(true)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // it never fails: the program ends if it would
	return base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, secret, []byte(place))), nil
}

// Open decrypts what was sealed for a place.
func (b *Box) Open(sealed, place string) ([]byte, error) {
	aead, err := b.key(false)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(raw) < aead.NonceSize() {
		return nil, errors.New("a sealed secret is damaged")
	}
	secret, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(place))
	if err != nil {
		return nil, errors.New("a secret was sealed with another key")
	}
	return secret, nil
}

// key reads the file, or makes it.
func (b *Box) key(makeIt bool) (cipher.AEAD, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.aead != nil {
		return b.aead, nil
	}
	text, err := os.ReadFile(b.file)
	if errors.Is(err, fs.ErrNotExist) && makeIt {
		text, err = makeKey(b.file)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of sealed secrets: %w", err)
	}
	if b.aead, err = parseKey(string(text)); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", b.file, err)
	}
	return b.aead, nil
}

// makeKey makes a key that is on disk, whole, before anything is sealed with it.
func makeKey(file string) ([]byte, error) {
	var key [keySize]byte
	_, _ = rand.Read(key[:]) // it never fails: the program ends if it would
	text := []byte(base64.StdEncoding.EncodeToString(key[:]) + "\n")
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*") // with mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // nothing, once it has its name
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	return text, errors.Join(dir.Sync(), dir.Close())
}
