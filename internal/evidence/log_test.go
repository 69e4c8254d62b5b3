package evidence

import (
	"fmt"
	"testing"
)

func TestALogKeepsWhatItWatchesWithinBounds(t *testing.T) {
	l := NewLog()
	l.Record("a", Loaded{Class: "unheard"})
	if _, watched := l.Events("a"); watched || l.Listens("a") {
		t.Error("a session that nobody watches is kept")
	}
	l.Watch("a")
	for i := range maxEvents + 10 {
		l.Record("a", Loaded{Class: fmt.Sprint(i)})
	}
	events, watched := l.Events("a")
	if !watched || len(events) != maxEvents || events[0].(Loaded).Class != "0" {
		t.Errorf("%d events, the first %v", len(events), events[0])
	}
	l.Watch("a") // again: nothing is lost
	if events, _ := l.Events("a"); len(events) != maxEvents {
		t.Errorf("%d events after watching again", len(events))
	}
	for i := range maxSessions {
		l.Watch(fmt.Sprint("s", i))
	}
	if l.Listens("a") || !l.Listens("s0") {
		t.Error("the session watched longest ago is not the one that went")
	}
	l.Forget("s0")
	if l.Listens("s0") {
		t.Error("a forgotten session is heard")
	}
}
