package connect

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/sparkerr"
)

// artifacts are the files that a client sent: "cache/<hash>", "pyfiles/...", "files/...".
type artifacts struct {
	dir string
	mu  sync.Mutex
}

// artifactKinds are the places a client may send to.
var artifactKinds = map[string]bool{"cache": true, "pyfiles": true, "files": true, "archives": true}

// root opens the session's directory: nothing outside it can be reached through it.
func (a *artifacts) root() (*os.Root, error) {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the session's directory: %w", err)
	}
	return os.OpenRoot(a.dir)
}

func cleanArtifact(name string) (string, error) {
	name, _, _ = strings.Cut(name, "#") // an archive's alias
	c := path.Clean(name)
	kind, rest, ok := strings.Cut(c, "/")
	if !ok || rest == "" || !artifactKinds[kind] || path.IsAbs(c) || strings.Contains(c, "..") || strings.ContainsAny(c, "\x00\\") {
		return "", status.Errorf(codes.InvalidArgument, "artifact %q is not in a place that this server takes artifacts for", name)
	}
	return c, nil
}

// create opens a new file for an artifact; it takes its name when commit is called.
func (a *artifacts) create(name string) (f *os.File, commit func() error, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	root, err := a.root()
	if err != nil {
		return nil, nil, err
	}
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		root.Close()
		return nil, nil, fmt.Errorf("make %s: %w", path.Dir(name), err)
	}
	part := name + ".part"
	f, err = root.Create(part)
	if err != nil {
		root.Close()
		return nil, nil, fmt.Errorf("store %s: %w", name, err)
	}
	return f, func() error {
		defer root.Close()
		if err := f.Close(); err != nil {
			return fmt.Errorf("store %s: %w", name, err)
		}
		return root.Rename(part, name)
	}, nil
}

// cached gives the bytes of a cached relation.
func (a *artifacts) cached(hash string) ([]byte, error) {
	name, err := cleanArtifact("cache/" + hash)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(a.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "[CONNECT_INVALID_PLAN.NOT_FOUND_CACHED_LOCAL_RELATION] The plan is invalid: not found any cached local relation with the hash: %s in the session. SQLSTATE: 56K00", hash)
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
		name, err := cleanArtifact(n)
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
			return err
		}
	}
	if up.x == nil {
		return status.Error(codes.InvalidArgument, "no artifacts were sent")
	}
	if up.left > 0 {
		return status.Error(codes.InvalidArgument, "the last artifact is incomplete")
	}
	return stream.SendAndClose(&pb.AddArtifactsResponse{SessionId: up.x.ID, ServerSideSessionId: up.x.Server, Artifacts: up.done})
}

// upload is one AddArtifacts call.
type upload struct {
	x      *session
	done   []*pb.AddArtifactsResponse_ArtifactSummary
	name   string
	file   *os.File
	commit func() error
	left   int64 // chunks still to come
	intact bool
}

func (u *upload) abandon() {
	if u.file != nil {
		name := u.file.Name()
		u.file.Close()
		os.Remove(name)
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
			return status.Error(codes.InvalidArgument, "a chunk came without an artifact")
		}
		return u.chunk(k.Chunk)
	}
	return status.Errorf(codes.InvalidArgument, "the payload %T is not known", r.Payload)
}

func (u *upload) begin(name string, chunks int64) error {
	if u.left > 0 {
		return status.Error(codes.InvalidArgument, "an artifact came before the last one was complete")
	}
	clean, err := cleanArtifact(name)
	if err != nil {
		return err
	}
	if u.file, u.commit, err = u.x.files.create(clean); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	u.name, u.left, u.intact = name, chunks, true
	return nil
}

func (u *upload) chunk(c *pb.AddArtifactsRequest_ArtifactChunk) error {
	u.intact = u.intact && intact(c)
	if _, err := u.file.Write(c.GetData()); err != nil {
		return status.Errorf(codes.ResourceExhausted, "store %s: %v", u.name, err)
	}
	if u.left--; u.left > 0 {
		return nil
	}
	u.done = append(u.done, &pb.AddArtifactsResponse_ArtifactSummary{Name: u.name, IsCrcSuccessful: u.intact})
	if !u.intact {
		u.abandon()
		u.file = nil
		return nil
	}
	u.file = nil
	if err := u.commit(); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return nil
}
