package connect

import (
	"context"
	"strings"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"

	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/sparkerr"
)

// command runs a command and gives its answer.
func (o *responder) command(ctx context.Context, c *pb.Command) error {
	d := o.x.decoder()
	switch k := c.GetCommandType().(type) {
	case *pb.Command_RegisterFunction:
		f, err := d.udf(k.RegisterFunction)
		if err == nil {
			o.x.RegisterFunction(f.Name, f)
		}
		return err
	case *pb.Command_WriteOperation:
		return o.write(ctx, k.WriteOperation)
	case *pb.Command_WriteOperationV2:
		return o.writeV2(ctx, k.WriteOperationV2)
	case *pb.Command_CreateDataframeView:
		v := k.CreateDataframeView
		r, err := d.relation(v.Input)
		if err != nil {
			return err
		}
		if _, err := o.x.Schema(ctx, r); err != nil {
			return err
		}
		if strings.ContainsAny(v.Name, " \t\n") {
			return sparkerr.Legacy("1321", "Invalid view name: <viewName>.", "viewName", v.Name)
		}
		return o.x.CreateView(v.Name, r, v.IsGlobal, v.Replace)
	case *pb.Command_SqlCommand:
		return o.sql(ctx, k.SqlCommand)
	case *pb.Command_CheckpointCommand:
		r, err := d.relation(k.CheckpointCommand.Relation)
		if err != nil {
			return err
		}
		watched, stop := o.watch(ctx)
		id, err := o.x.Checkpoint(watched, r, k.CheckpointCommand.Eager)
		stop()
		if err != nil {
			return err
		}
		return o.give(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_CheckpointCommandResult{
			CheckpointCommandResult: &pb.CheckpointCommandResult{Relation: &pb.CachedRemoteRelation{RelationId: id}}}})
	case *pb.Command_RemoveCachedRemoteRelationCommand:
		o.x.DropCheckpoint(k.RemoveCachedRemoteRelationCommand.GetRelation().GetRelationId())
		return nil
	case *pb.Command_MlCommand:
		return o.ml(ctx, k.MlCommand)
	case *pb.Command_GetResourcesCommand:
		return o.give(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_GetResourcesCommandResult{GetResourcesCommandResult: &pb.GetResourcesCommandResult{}}})
	}
	return unknownCase("spark.connect.Command", c.GetCommandType(), "COMMANDTYPE_NOT_SET", "the command")
}

var saveModes = map[pb.WriteOperation_SaveMode]string{pb.WriteOperation_SAVE_MODE_UNSPECIFIED: "error", pb.WriteOperation_SAVE_MODE_APPEND: "append",
	pb.WriteOperation_SAVE_MODE_OVERWRITE: "overwrite", pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS: "error", pb.WriteOperation_SAVE_MODE_IGNORE: "ignore"}

func (o *responder) write(ctx context.Context, w *pb.WriteOperation) error {
	if w.BucketBy != nil || len(w.SortColumnNames) > 0 {
		return sparkerr.Unsupported("writing in buckets")
	}
	in, err := o.x.decoder().relation(w.Input)
	if err != nil {
		return err
	}
	req := engine.WriteRequest{Input: in, Format: w.GetSource(), Path: w.GetPath(), Mode: saveModes[w.Mode], Options: lowerKeys(w.Options), Partitions: w.PartitioningColumns}
	if req.Path == "" {
		req.Path = req.Options["path"]
	}
	if t := w.GetTable(); t != nil {
		req.Table = t.TableName
		req.Insert = t.SaveMethod == pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_INSERT_INTO
		if req.Insert && req.Mode == "error" {
			req.Mode = "append"
		}
	}
	watched, stop := o.watch(ctx)
	defer stop()
	if err := o.x.Write(watched, req); err != nil {
		return err
	}
	return o.observed(ctx, in)
}

var writeModes = map[pb.WriteOperationV2_Mode]string{pb.WriteOperationV2_MODE_CREATE: "error", pb.WriteOperationV2_MODE_OVERWRITE: "overwrite",
	pb.WriteOperationV2_MODE_APPEND: "append", pb.WriteOperationV2_MODE_REPLACE: "overwrite", pb.WriteOperationV2_MODE_CREATE_OR_REPLACE: "overwrite"}

func (o *responder) writeV2(ctx context.Context, w *pb.WriteOperationV2) error {
	mode, ok := writeModes[w.Mode]
	if !ok || len(w.PartitioningColumns) > 0 || w.OverwriteCondition != nil {
		return sparkerr.Unsupported("writeTo with partitions or conditions")
	}
	in, err := o.x.decoder().relation(w.Input)
	if err != nil {
		return err
	}
	watched, stop := o.watch(ctx)
	defer stop()
	err = o.x.Write(watched, engine.WriteRequest{Input: in, Format: w.GetProvider(), Table: w.TableName, Mode: mode, Options: lowerKeys(w.Options),
		Insert: w.Mode == pb.WriteOperationV2_MODE_APPEND || w.Mode == pb.WriteOperationV2_MODE_REPLACE})
	if err != nil {
		return err
	}
	return o.observed(ctx, in)
}

// sql runs spark.sql: a query is answered by itself, to be run later; a command is run now and
// answered by its result.
func (o *responder) sql(ctx context.Context, c *pb.SqlCommand) error {
	in := c.Input
	if in == nil {
		in = &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: c.Sql, Args: c.Args, PosArgs: c.PosArgs, NamedArguments: c.NamedArguments, PosArguments: c.PosArguments}}}
	}
	r, err := o.x.decoder().relation(in)
	if err != nil {
		return err
	}
	answer := in
	watched, stop := o.watch(ctx)
	done, err := o.x.Statement(watched, r)
	stop()
	if err != nil {
		return err
	}
	if done != nil {
		enc, err := newEncoder(done.Schema, o.x.TimeZone())
		if err != nil {
			return err
		}
		data, err := enc.encode(done.Batches...)
		if err != nil {
			return err
		}
		answer = &pb.Relation{Common: in.Common, RelType: &pb.Relation_LocalRelation{LocalRelation: &pb.LocalRelation{Data: data}}}
	}
	return o.give(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_SqlCommandResult_{SqlCommandResult: &pb.ExecutePlanResponse_SqlCommandResult{Relation: answer}}})
}
