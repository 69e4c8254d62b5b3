package connect

import (
	"context"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/sparkerr"
)

// Config reads and writes settings.
func (s *Server) Config(_ context.Context, r *pb.ConfigRequest) (*pb.ConfigResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	out := &pb.ConfigResponse{SessionId: r.SessionId, ServerSideSessionId: x.Server}
	if err := x.configure(r.GetOperation(), out); err != nil {
		return nil, toStatus(err, &x.errs)
	}
	return out, nil
}

func (x *session) configure(op *pb.ConfigRequest_Operation, out *pb.ConfigResponse) error {
	answer := func(key, value string, ok bool) {
		kv := &pb.KeyValue{Key: key}
		if ok {
			kv.Value = &value
		}
		out.Pairs = append(out.Pairs, kv)
	}
	switch k := op.GetOpType().(type) {
	case *pb.ConfigRequest_Operation_Set:
		for _, p := range k.Set.Pairs {
			if p.Value == nil {
				return sparkerr.Require("value cannot be null for key: %s", p.Key)
			}
			if err := x.Conf.Set(p.Key, p.GetValue()); err != nil && !k.Set.GetSilent() {
				return err
			}
		}
	case *pb.ConfigRequest_Operation_Get:
		for _, key := range k.Get.Keys {
			v, err := x.Conf.Must(key)
			if err != nil {
				return err
			}
			answer(key, v, true)
		}
	case *pb.ConfigRequest_Operation_GetWithDefault:
		for _, p := range k.GetWithDefault.Pairs {
			if p.Value == nil {
				v, ok := x.Conf.Get(p.Key)
				answer(p.Key, v, ok)
				continue
			}
			answer(p.Key, x.Conf.Or(p.Key, *p.Value), true)
		}
	case *pb.ConfigRequest_Operation_GetOption:
		for _, key := range k.GetOption.Keys {
			v, ok := x.Conf.Get(key)
			answer(key, v, ok)
		}
	case *pb.ConfigRequest_Operation_GetAll:
		for _, kv := range x.Conf.All(k.GetAll.GetPrefix()) {
			answer(kv[0], kv[1], true)
		}
	case *pb.ConfigRequest_Operation_Unset:
		for _, key := range k.Unset.Keys {
			x.Conf.Unset(key)
		}
	case *pb.ConfigRequest_Operation_IsModifiable:
		for _, key := range k.IsModifiable.Keys {
			v := "false"
			if x.Conf.Modifiable(key) {
				v = "true"
			}
			answer(key, v, true)
		}
	default:
		return sparkerr.Plain(sparkerr.ClassJavaUnsupported, "not supported.")
	}
	return nil
}
