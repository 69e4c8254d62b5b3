package native

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what the function is called for
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what the function is called for
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

func ciphers() []Func {
	all := []Kind{Bytes, Bytes, Text, Text, Bytes, Bytes}
	return []Func{
		{Name: "spark_sha2", Args: []Kind{Bytes, Int}, Result: Text, Call: func(a []Value) (Value, error) {
			var sum []byte
			data := []byte(a[0].S)
			switch a[1].I {
			case 0, 256:
				x := sha256.Sum256(data)
				sum = x[:]
			case 224:
				x := sha256.Sum224(data)
				sum = x[:]
			case 384:
				x := sha512.Sum384(data)
				sum = x[:]
			case 512:
				x := sha512.Sum512(data)
				sum = x[:]
			default:
				return null(), nil
			}
			return s(hex.EncodeToString(sum)), nil
		}},
		{Name: "spark_hmac", Args: []Kind{Bytes, Bytes, Text}, Result: Bytes, Call: func(a []Value) (Value, error) {
			makers := map[string]func() hash.Hash{"MD5": md5.New, "SHA1": sha1.New, "SHA-1": sha1.New, "SHA224": sha256.New224, "SHA-224": sha256.New224, "SHA256": sha256.New, "SHA-256": sha256.New,
				"SHA384": sha512.New384, "SHA-384": sha512.New384, "SHA512": sha512.New, "SHA-512": sha512.New}
			make, ok := makers[strings.TrimPrefix(strings.ToUpper(a[2].S), "HMAC")]
			if !ok {
				return null(), fmt.Errorf("hmac does not know the algorithm %q", a[2].S)
			}
			m := hmac.New(make, []byte(a[0].S))
			m.Write([]byte(a[1].S))
			return s(string(m.Sum(nil))), nil
		}},
		{Name: "spark_aes_encrypt", Args: all, Result: Bytes, Call: func(a []Value) (Value, error) {
			out, err := encrypt(a)
			return s(string(out)), err
		}},
		{Name: "spark_aes_decrypt", Args: all, Result: Bytes, Call: func(a []Value) (Value, error) {
			out, err := decrypt(a)
			return s(string(out)), err
		}},
		{Name: "spark_try_aes_decrypt", Args: all, Result: Bytes, Call: func(a []Value) (Value, error) {
			out, err := decrypt(a)
			if err != nil {
				return null(), nil
			}
			return s(string(out)), nil
		}},
	}
}

// Arguments: data, key, mode, padding, initialisation vector, additional data.

func aesMode(a []Value) (string, error) {
	mode, padding := strings.ToUpper(a[2].S), strings.ToUpper(a[3].S)
	switch {
	case mode == "GCM" && (padding == "DEFAULT" || padding == "NONE"), mode == "ECB" && (padding == "DEFAULT" || padding == "PKCS"), mode == "CBC" && (padding == "DEFAULT" || padding == "PKCS"):
		return mode, nil
	}
	return "", fmt.Errorf("AES mode %s with padding %s is not supported", mode, padding)
}

func encrypt(a []Value) ([]byte, error) {
	mode, err := aesMode(a)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher([]byte(a[1].S))
	if err != nil {
		return nil, fmt.Errorf("AES key: %w", err)
	}
	data, iv := []byte(a[0].S), []byte(a[4].S)
	size := map[string]int{"GCM": 12, "CBC": aes.BlockSize}[mode]
	if len(iv) == 0 && size > 0 {
		iv = make([]byte, size)
		if _, err := rand.Read(iv); err != nil {
			return nil, err
		}
	}
	if len(iv) != size {
		return nil, fmt.Errorf("AES %s needs an initialisation vector of %d bytes", mode, size)
	}
	if mode == "GCM" {
		g, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		return g.Seal(iv, iv, data, []byte(a[5].S)), nil
	}
	pad := aes.BlockSize - len(data)%aes.BlockSize
	data = append(data, bytes.Repeat([]byte{byte(pad)}, pad)...)
	if mode == "CBC" {
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
		return append(iv, data...), nil
	}
	for k := 0; k < len(data); k += aes.BlockSize {
		block.Encrypt(data[k:], data[k:])
	}
	return data, nil
}

var errCipher = errors.New("AES: the input cannot be decrypted with this key and mode")

func decrypt(a []Value) ([]byte, error) {
	mode, err := aesMode(a)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher([]byte(a[1].S))
	if err != nil {
		return nil, fmt.Errorf("AES key: %w", err)
	}
	data := []byte(a[0].S)
	if mode == "GCM" {
		g, err := cipher.NewGCM(block)
		if err != nil || len(data) < 12 {
			return nil, errCipher
		}
		out, err := g.Open(nil, data[:12], data[12:], []byte(a[5].S))
		if err != nil {
			return nil, errCipher
		}
		return out, nil
	}
	var iv []byte
	if mode == "CBC" {
		if len(data) < aes.BlockSize {
			return nil, errCipher
		}
		iv, data = data[:aes.BlockSize], data[aes.BlockSize:]
	}
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errCipher
	}
	if mode == "CBC" {
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(data, data)
	} else {
		for k := 0; k < len(data); k += aes.BlockSize {
			block.Decrypt(data[k:], data[k:])
		}
	}
	pad := int(data[len(data)-1])
	if pad < 1 || pad > aes.BlockSize {
		return nil, errCipher
	}
	return data[:len(data)-pad], nil
}
