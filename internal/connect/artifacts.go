package connect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/sparkerr"
)

// artifacts are the files that a client sent: "cache/<hash>", "pyfiles/...", "files/...",
// "archives/...". What an archive holds is laid out under "files".
type artifacts struct {
	dir     string
	forward string // the directory below which clients may copy files, "" for none
	mu      sync.Mutex
}

// artifactKinds are the places a client may send to.
var artifactKinds = map[string]bool{"cache": true, "pyfiles": true, "files": true, "archives": true, "forward_to_fs": true}

// root opens the session's directory: nothing outside it can be reached through it.
func (a *artifacts) root() (*os.Root, error) {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the session's directory: %w", err)
	}
	return os.OpenRoot(a.dir)
}

// cleanArtifact gives the path of an artifact in the session's directory, and the name that an
// archive is to be unpacked by.
func cleanArtifact(name string) (file, alias string, err error) {
	name, alias, _ = strings.Cut(name, "#")
	c := path.Clean(name)
	if c == "." || !filepath.IsLocal(filepath.FromSlash(c)) || strings.Contains(name, "..") || strings.ContainsAny(name, "\x00\\") {
		return "", "", sparkerr.New(sparkerr.ClassRuntime, "INVALID_ARTIFACT_PATH", "name", name)
	}
	kind, rest, _ := strings.Cut(c, "/")
	switch {
	case kind == "jars" || kind == "classes":
		return "", "", sparkerr.Unsupported("code of the JVM (%s)", name)
	case !artifactKinds[kind]:
		return "", "", sparkerr.Unsupported("artifacts of the kind %s (%s)", kind, name)
	case rest == "":
		return "", "", sparkerr.New(sparkerr.ClassRuntime, "INVALID_ARTIFACT_PATH", "name", name)
	}
	if alias == "" {
		alias = path.Base(c)
	}
	return c, alias, nil
}

// partEnding marks files that are still being sent.
const partEnding = ".part"

// create opens a new file for an artifact; it takes its name when commit is called, which gives
// an error if another file has it.
func (a *artifacts) create(name string) (f *os.File, commit func() error, err error) {
	to := ""
	if strings.HasPrefix(name, forwardPrefix) {
		if to, err = forwardTo(a.forward, name); err != nil {
			return nil, nil, err
		}
	}
	root, err := a.root()
	if err != nil {
		return nil, nil, err
	}
	part := path.Join("incoming", uuid.NewString()+partEnding)
	dirs := []string{path.Dir(part)}
	if to == "" {
		dirs = append(dirs, path.Dir(name))
	}
	for _, dir := range dirs {
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("make %s: %w", dir, err), root.Close())
		}
	}
	if f, err = root.Create(part); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("store %s: %w", name, err), root.Close())
	}
	return f, func() error {
		defer root.Close()
		if err := f.Close(); err != nil {
			return fmt.Errorf("store %s: %w", name, err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if to != "" {
			return forward(root, part, a.forward, to)
		}
		if _, err := root.Stat(name); err == nil {
			same, err := sameFiles(root, part, name)
			if err == nil && !same {
				err = sparkerr.New(sparkerr.ClassRuntime, "ARTIFACT_ALREADY_EXISTS", "normalizedRemoteRelativePath", name)
			}
			return errors.Join(err, root.Remove(part))
		}
		return root.Rename(part, name)
	}, nil
}

// sameFiles compares two files.
func sameFiles(root *os.Root, a, b string) (bool, error) {
	var sums [2][]byte
	for i, name := range []string{a, b} {
		f, err := root.Open(name)
		if err != nil {
			return false, fmt.Errorf("compare %s: %w", name, err)
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return false, fmt.Errorf("compare %s: %w", name, err)
		}
		sums[i] = h.Sum(nil)
	}
	return bytes.Equal(sums[0], sums[1]), nil
}

// cached gives the bytes of a cached relation.
func (a *artifacts) cached(hash string) ([]byte, error) {
	name, _, err := cleanArtifact("cache/" + hash)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(a.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, sparkerr.InvalidPlan("CANNOT_FIND_CACHED_LOCAL_RELATION", "hash", hash)
	}
	return b, nil
}

// ArtifactStatus tells which cached artifacts are there.
func (s *Server) ArtifactStatus(_ context.Context, r *pb.ArtifactStatusesRequest) (*pb.ArtifactStatusesResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	out := &pb.ArtifactStatusesResponse{SessionId: r.SessionId, ServerSideSessionId: x.Server, Statuses: map[string]*pb.ArtifactStatusesResponse_ArtifactStatus{}}
	for _, n := range r.Names {
		name, _, err := cleanArtifact(n)
		there := err == nil
		if there {
			_, serr := os.Stat(filepath.Join(x.files.dir, filepath.FromSlash(name)))
			there = serr == nil
		}
		out.Statuses[n] = &pb.ArtifactStatusesResponse_ArtifactStatus{Exists: there}
	}
	return out, nil
}

// AddArtifacts stores files, sent whole in batches or in chunks.
func (s *Server) AddArtifacts(stream grpc.ClientStreamingServer[pb.AddArtifactsRequest, pb.AddArtifactsResponse]) error {
	up := &upload{}
	defer up.abandon()
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if up.x == nil {
			if up.x, err = s.session(r); err != nil {
				return err
			}
		}
		if err := up.take(r); err != nil {
			return toStatus(err, &up.x.errs)
		}
	}
	if up.x == nil {
		return toStatus(sparkerr.Require("no artifacts were sent"), nil)
	}
	if up.left > 0 {
		return toStatus(sparkerr.IllegalArgument("requirement failed"), &up.x.errs)
	}
	return stream.SendAndClose(&pb.AddArtifactsResponse{SessionId: up.x.ID, ServerSideSessionId: up.x.Server, Artifacts: up.done})
}

// upload is one AddArtifacts call.
type upload struct {
	x      *session
	done   []*pb.AddArtifactsResponse_ArtifactSummary
	name   string // as the client calls it
	clean  string
	alias  string
	file   *os.File
	commit func() error
	left   int64 // chunks still to come
	intact bool
}

// abandon removes what was not sent to its end.
func (u *upload) abandon() {
	if u.file != nil {
		// Nothing is lost if that fails: the session's end removes it.
		_ = u.file.Close()
		_ = os.Remove(u.file.Name())
		u.file = nil
	}
}

func intact(c *pb.AddArtifactsRequest_ArtifactChunk) bool {
	return int64(crc32.ChecksumIEEE(c.GetData())) == c.GetCrc()
}

func (u *upload) take(r *pb.AddArtifactsRequest) error {
	switch k := r.Payload.(type) {
	case *pb.AddArtifactsRequest_Batch_:
		for _, a := range k.Batch.Artifacts {
			if err := u.begin(a.Name, 1); err != nil {
				return err
			}
			if err := u.chunk(a.Data); err != nil {
				return err
			}
		}
		return nil
	case *pb.AddArtifactsRequest_BeginChunk:
		if err := u.begin(k.BeginChunk.Name, k.BeginChunk.NumChunks); err != nil {
			return err
		}
		return u.chunk(k.BeginChunk.InitialChunk)
	case *pb.AddArtifactsRequest_Chunk:
		if u.left == 0 {
			return sparkerr.Require("a chunk came without an artifact")
		}
		return u.chunk(k.Chunk)
	}
	return unknownCase("spark.connect.AddArtifactsRequest", r.Payload, "PAYLOAD_NOT_SET", "the payload")
}

func (u *upload) begin(name string, chunks int64) error {
	if u.left > 0 {
		return sparkerr.Require("an artifact came before the last one was complete")
	}
	if chunks < 1 {
		return sparkerr.Require("an artifact has at least one chunk")
	}
	var err error
	if u.clean, u.alias, err = cleanArtifact(name); err != nil {
		return err
	}
	if u.file, u.commit, err = u.x.files.create(u.clean); err != nil {
		return err
	}
	u.name, u.left, u.intact = name, chunks, true
	return nil
}

func (u *upload) chunk(c *pb.AddArtifactsRequest_ArtifactChunk) error {
	u.intact = u.intact && intact(c)
	if _, err := u.file.Write(c.GetData()); err != nil {
		return fmt.Errorf("store %s: %w", u.name, err)
	}
	if u.left--; u.left > 0 {
		return nil
	}
	u.done = append(u.done, &pb.AddArtifactsResponse_ArtifactSummary{Name: u.name, IsCrcSuccessful: u.intact})
	if !u.intact {
		u.abandon()
		return nil
	}
	u.file = nil
	if err := u.commit(); err != nil {
		return err
	}
	if strings.HasPrefix(u.clean, "archives/") {
		return u.x.files.unpack(u.clean, u.alias)
	}
	return nil
}
