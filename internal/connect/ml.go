package connect

import (
	"context"
	"strings"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"

	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
)

// ml runs an ML command.
func (o *responder) ml(ctx context.Context, c *pb.MlCommand) error {
	watched, stop := o.watch(ctx)
	res, err := o.mlResult(watched, c)
	stop()
	if err != nil {
		return err
	}
	return o.give(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_MlCommandResult{MlCommandResult: res}})
}

func paramResult(v any) (*pb.MlCommandResult, error) {
	l, err := mlLiteral(v)
	return &pb.MlCommandResult{ResultType: &pb.MlCommandResult_Param{Param: l}}, err
}

func refResult(id string) *pb.MlCommandResult {
	return &pb.MlCommandResult{ResultType: &pb.MlCommandResult_OperatorInfo{OperatorInfo: &pb.MlCommandResult_MlOperatorInfo{
		Type: &pb.MlCommandResult_MlOperatorInfo_ObjRef{ObjRef: &pb.ObjectRef{Id: id}}}}}
}

func (o *responder) mlResult(ctx context.Context, c *pb.MlCommand) (*pb.MlCommandResult, error) {
	d := o.x.decoder()
	switch k := c.GetCommand().(type) {
	case *pb.MlCommand_Fit_:
		params, err := mlParams(k.Fit.Params)
		if err != nil {
			return nil, err
		}
		data, err := d.relation(k.Fit.Dataset)
		if err != nil {
			return nil, err
		}
		id, err := o.x.Fit(ctx, k.Fit.GetEstimator().GetName(), k.Fit.GetEstimator().GetUid(), params, data)
		return refResult(id), err
	case *pb.MlCommand_Evaluate_:
		params, err := mlParams(k.Evaluate.Params)
		if err != nil {
			return nil, err
		}
		data, err := d.relation(k.Evaluate.Dataset)
		if err != nil {
			return nil, err
		}
		v, err := o.x.Evaluate(ctx, k.Evaluate.GetEvaluator().GetName(), k.Evaluate.GetEvaluator().GetUid(), params, data)
		if err != nil {
			return nil, err
		}
		return paramResult(v)
	case *pb.MlCommand_Fetch:
		return o.mlFetch(ctx, k.Fetch)
	case *pb.MlCommand_Delete_:
		var ids []string
		for _, r := range k.Delete.ObjRefs {
			ids = append(ids, r.Id)
		}
		return refResult(strings.Join(o.x.DeleteModels(ids), ",")), nil
	case *pb.MlCommand_CleanCache_:
		return paramResult(o.x.ClearModels())
	case *pb.MlCommand_GetCacheInfo_:
		return paramResult(o.x.ModelInfo())
	case *pb.MlCommand_GetModelSize_:
		n, err := o.x.ModelSize(k.GetModelSize.GetModelRef().GetId())
		if err != nil {
			return nil, err
		}
		return paramResult(n)
	case *pb.MlCommand_Write_:
		params, err := mlParams(k.Write.Params)
		if err != nil {
			return nil, err
		}
		op := k.Write.GetOperator()
		err = o.x.WriteModel(k.Write.GetObjRef().GetId(), op.GetName(), op.GetUid(), params, k.Write.Path, k.Write.GetShouldOverwrite())
		return &pb.MlCommandResult{}, err
	case *pb.MlCommand_Read_:
		return o.mlRead(k.Read)
	}
	return nil, unknownCase("spark.connect.MlCommand", c.GetCommand(), "COMMAND_NOT_SET", "the ML command")
}

func (o *responder) mlFetch(ctx context.Context, f *pb.Fetch) (*pb.MlCommandResult, error) {
	fetch, err := o.x.decoder().fetch(f)
	if err != nil {
		return nil, err
	}
	v, err := o.x.Fetch(ctx, fetch.ObjectID, fetch.Methods)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case engine.ModelID:
		return refResult(string(v)), nil
	case engine.ModelIDs:
		return refResult(strings.Join(v, ",")), nil
	case engine.SummaryID:
		return &pb.MlCommandResult{ResultType: &pb.MlCommandResult_Summary{Summary: string(v)}}, nil
	case ml.Frame:
		return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", "a relation is fetched by a plan, not by a command")
	}
	return paramResult(v)
}

func (o *responder) mlRead(r *pb.MlCommand_Read) (*pb.MlCommandResult, error) {
	op, err := o.x.ReadModel(r.GetOperator().GetName(), r.Path)
	if err != nil {
		return nil, err
	}
	info := &pb.MlCommandResult_MlOperatorInfo{Uid: &op.UID, Params: &pb.MlParams{Params: map[string]*pb.Expression_Literal{}}}
	if op.ID != "" {
		info.Type = &pb.MlCommandResult_MlOperatorInfo_ObjRef{ObjRef: &pb.ObjectRef{Id: op.ID}}
	} else {
		info.Type = &pb.MlCommandResult_MlOperatorInfo_Name{Name: op.Class}
	}
	for k, v := range op.Params {
		l, err := mlLiteral(v)
		if err != nil {
			return nil, err
		}
		info.Params.Params[k] = l
	}
	return &pb.MlCommandResult{ResultType: &pb.MlCommandResult_OperatorInfo{OperatorInfo: info}}, nil
}
