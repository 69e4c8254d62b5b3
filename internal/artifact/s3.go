package artifact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// ErrNoParts says that uploads in parts are not for this store: one upload
// streams a file of any size.
var ErrNoParts = errors.New("uploads in parts are not supported by this artifact store")

const (
	partSize  = 16 << 20 // of a large file, waits in memory while it goes to S3
	smallFile = 4 << 20
)

// bucket is a prefix of an S3 bucket.
type bucket struct {
	client *minio.Client
	name   string
	prefix string // "" or ending in a slash
}

// OpenS3 opens s3://bucket/prefix. Where and with what keys is told by the
// usual environment: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION,
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or the shared
// credentials file, or the machine's role.
func OpenS3(ctx context.Context, address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("the artifact root %q is none of S3: write s3://bucket/prefix", address)
	}
	prefix, err := Clean(strings.Trim(u.Path, "/"))
	if err != nil {
		return nil, fmt.Errorf("the artifact root %q: %w", address, err)
	}
	if prefix != "" {
		prefix += "/"
	}
	endpoint, err := s3Endpoint()
	if err != nil {
		return nil, err
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Secure: endpoint.Scheme == "https", Region: firstEnv("AWS_REGION", "AWS_DEFAULT_REGION"),
		Creds: credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}}),
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", address, err)
	}
	reach, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	there, err := client.BucketExists(reach, u.Host)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the bucket of %s at %s: %w; AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY tell where and how", address, endpoint.Host, err)
	}
	if !there {
		return nil, fmt.Errorf("there is no bucket %s at %s: make it first", u.Host, endpoint.Host)
	}
	return &Store{&bucket{client, u.Host, prefix}}, nil
}

func s3Endpoint() (*url.URL, error) {
	text := firstEnv("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL")
	if text == "" {
		text = "https://s3.amazonaws.com"
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the address of S3 in AWS_ENDPOINT_URL is %q, not http://host:port or https://host", text)
	}
	return u, nil
}

func firstEnv(names ...string) string {
	for _, n := range names {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	return ""
}

// s3Error makes what callers tell apart of the service's errors.
func s3Error(err error) error {
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchKey, "NotFound":
		return ErrNotExist
	}
	return err
}

// Put streams the file, which appears when it is whole.
func (b *bucket) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	p, err := Clean(name)
	if err != nil {
		return 0, err
	}
	if p == "" || strings.HasSuffix(name, "/") {
		return 0, fmt.Errorf("%w: names no file", ErrInvalidPath)
	}
	if dir, err := b.isDir(ctx, p); err != nil || dir {
		return 0, fmt.Errorf("store artifact %s: %w", p, errors.Join(err, ErrIsDir))
	}
	// A small file goes in one request of known length, a large one in parts as it comes. Each is
	// protected by its MD5, which every S3-compatible service checks.
	opts := minio.PutObjectOptions{PartSize: partSize, SendContentMd5: true, DisableContentSha256: true}
	var head bytes.Buffer
	body, size := io.Reader(&head), int64(-1)
	_, err = io.CopyN(&head, contextReader{ctx, r}, smallFile)
	switch {
	case errors.Is(err, io.EOF):
		size = int64(head.Len())
	case err != nil:
		return 0, fmt.Errorf("store artifact %s: %w", p, err)
	default:
		body = io.MultiReader(&head, contextReader{ctx, r})
	}
	info, err := b.client.PutObject(ctx, b.name, b.prefix+p, body, size, opts)
	if err != nil {
		return 0, fmt.Errorf("store artifact %s: %w", p, err)
	}
	return info.Size, nil
}

// isDir reports whether there are files below p.
func (b *bucket) isDir(ctx context.Context, p string) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.below(p), MaxKeys: 1}) {
		return o.Err == nil, o.Err
	}
	return false, nil
}

// below is the prefix of what is in the directory p.
func (b *bucket) below(p string) string {
	if p == "" {
		return b.prefix
	}
	return b.prefix + p + "/"
}

// object is an open file of the bucket: it is read in ranges as they are asked.
type object struct {
	*minio.Object
	info objectInfo
}

func (o *object) Stat() (fs.FileInfo, error) { return o.info, nil }

type objectInfo struct{ minio.ObjectInfo }

func (i objectInfo) Name() string       { return path.Base(i.Key) }
func (i objectInfo) Size() int64        { return i.ObjectInfo.Size }
func (i objectInfo) Mode() fs.FileMode  { return 0o644 }
func (i objectInfo) ModTime() time.Time { return i.LastModified }
func (i objectInfo) IsDir() bool        { return false }
func (i objectInfo) Sys() any           { return nil }

// Checksum is the service's name for the content.
func (i objectInfo) Checksum() string { return i.ETag }

func (b *bucket) Open(ctx context.Context, name string) (File, error) {
	p, err := Clean(name)
	if err != nil {
		return nil, err
	}
	if p == "" {
		return nil, ErrIsDir
	}
	o, err := b.client.GetObject(ctx, b.name, b.prefix+p, minio.GetObjectOptions{})
	if err != nil {
		return nil, s3Error(err)
	}
	info, err := o.Stat()
	if err == nil {
		return &object{o, objectInfo{info}}, nil
	}
	err = errors.Join(s3Error(err), o.Close())
	if dir, derr := b.isDir(ctx, p); derr == nil && dir {
		return nil, ErrIsDir
	}
	return nil, err
}

func (b *bucket) List(ctx context.Context, name string) ([]Info, error) {
	p, err := Clean(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var out []Info
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.below(p)}) {
		if o.Err != nil {
			return nil, fmt.Errorf("list artifacts %s: %w", p, o.Err)
		}
		key := strings.TrimPrefix(o.Key, b.prefix)
		dir := strings.HasSuffix(key, "/")
		clean, err := Clean(strings.TrimSuffix(key, "/"))
		if err != nil || clean == p || clean != strings.TrimSuffix(key, "/") {
			continue // not written by us, and no path could name it
		}
		i := Info{Path: clean, IsDir: dir}
		if !dir {
			i.Size = o.Size
		}
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// Delete removes a file, or all files below a directory.
func (b *bucket) Delete(ctx context.Context, name string) error {
	p, err := Clean(name)
	if err != nil {
		return err
	}
	if p == "" {
		return fmt.Errorf("%w: names the root", ErrInvalidPath)
	}
	if err := b.client.RemoveObject(ctx, b.name, b.prefix+p, minio.RemoveObjectOptions{}); err != nil && !errors.Is(s3Error(err), ErrNotExist) {
		return fmt.Errorf("delete artifact %s: %w", p, err)
	}
	return b.walk(ctx, p, func(o minio.ObjectInfo) error {
		if err := b.client.RemoveObject(ctx, b.name, o.Key, minio.RemoveObjectOptions{}); err != nil {
			return fmt.Errorf("delete artifact %s: %w", strings.TrimPrefix(o.Key, b.prefix), err)
		}
		return nil
	})
}

// walk visits all files below a directory.
func (b *bucket) walk(ctx context.Context, p string, each func(minio.ObjectInfo) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.below(p), Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("list artifacts %s: %w", p, o.Err)
		}
		if err := each(o); err != nil {
			return err
		}
	}
	return nil
}

func (b *bucket) Size(ctx context.Context, name string) (sum int64, err error) {
	p, err := Clean(name)
	if err != nil {
		return 0, err
	}
	if info, err := b.client.StatObject(ctx, b.name, b.prefix+p, minio.StatObjectOptions{}); p != "" && err == nil {
		return info.Size, nil
	}
	err = b.walk(ctx, p, func(o minio.ObjectInfo) error { sum += o.Size; return nil })
	return sum, err
}

// Prune has nothing to do: there are no directories.
func (b *bucket) Prune(context.Context, string) error { return nil }

func (b *bucket) TakesParts() bool { return false }

func (b *bucket) CreateUpload(context.Context, string) (string, error) { return "", ErrNoParts }

func (b *bucket) PutPart(context.Context, string, int, io.Reader) (Part, error) {
	return Part{}, ErrNoParts
}

func (b *bucket) Parts(context.Context, string) ([]Part, error) { return nil, ErrNoParts }

func (b *bucket) CompleteUpload(context.Context, string, string, []Part) (int64, error) {
	return 0, ErrNoParts
}

func (b *bucket) AbortUpload(context.Context, string, string) error { return ErrNoParts }

func (b *bucket) Close() error { return nil }
