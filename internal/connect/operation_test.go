package connect

import (
	"testing"
	"time"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
)

func TestOperationsWaitForTheirClients(t *testing.T) {
	o := newOperation(&pb.ExecutePlanRequest{}, "id", func() {})
	if o.abandoned(time.Now()) {
		t.Error("an operation is abandoned before its client could attach")
	}
	o.attach(time.Minute)
	if o.abandoned(time.Now().Add(time.Hour)) {
		t.Error("an operation is abandoned while a client is attached")
	}
	o.detach()
	if o.abandoned(time.Now().Add(50 * time.Second)) {
		t.Error("an operation is abandoned before its client's patience ends")
	}
	if !o.abandoned(time.Now().Add(70 * time.Second)) {
		t.Error("an operation waits for ever for a client that has gone")
	}
}
