package connect

import (
	"context"
	"time"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/progress"
)

// progressEvery is how often a client is told how far its query is.
const progressEvery = 500 * time.Millisecond

// watch counts the work done under the context it gives and tells the client of it now and then,
// until the returned function is called.
func (o *responder) watch(ctx context.Context) (watched context.Context, stop func()) {
	t := &progress.Tracker{}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// A client that lags behind must not hold up the query for the sake of its progress bar.
			if o.op.lags() {
				continue
			}
			if err := o.send(ctx, progressResponse(t.States())); err != nil {
				return // the query is over
			}
		}
	}()
	return progress.Watch(ctx, t), func() { close(done); <-gone }
}

func progressResponse(states []progress.State) *pb.ExecutePlanResponse {
	p := &pb.ExecutePlanResponse_ExecutionProgress{}
	for _, s := range states {
		p.Stages = append(p.Stages, &pb.ExecutePlanResponse_ExecutionProgress_StageInfo{StageId: s.ID, NumTasks: s.Total, NumCompletedTasks: s.Done,
			InputBytesRead: s.Bytes, Done: s.Ended})
		if !s.Ended && s.Done < s.Total {
			p.NumInflightTasks++
		}
	}
	return &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ExecutionProgress_{ExecutionProgress: p}}
}
