"""logs a realistic set: grid search nested, curves, artifacts, registry."""
import os, sys, math, random, time, json, tempfile, pathlib
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"]="true"; os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"]="false"; os.environ["GIT_PYTHON_REFRESH"]="quiet"
import mlflow, numpy as np, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("/Shared/flights")
from sklearn.linear_model import Ridge
random.seed(1)
d=pathlib.Path(tempfile.mkdtemp())
X=pd.DataFrame(np.random.rand(50,3),columns=["dep_delay","distance","hour"]); y=X.sum(axis=1)
with mlflow.start_run(run_name="grid search"):
    mlflow.set_tag("owner","ana")
    for depth in (3,5,7):
        for eta in (0.05,0.1,0.3):
            with mlflow.start_run(run_name=f"gbt depth {depth} eta {eta}",nested=True):
                mlflow.log_params({"model":"gbt","max_depth":depth,"eta":eta,"subsample":0.8,"features":"all" if depth>3 else "few"})
                ms=[]
                for i in range(120):
                    l=math.exp(-i*eta/3)*30+10+depth*.3+random.random()
                    mlflow.log_metrics({"train_rmse":l-1.5,"rmse":l,"learning_rate":eta*0.99**i},step=i) if i%4==0 else None
                mlflow.log_metrics({"mae":l*.7,"r2":1-l/60})
for a in (0.1,1.0,10.0):
    with mlflow.start_run(run_name=f"ridge {a}") as r:
        mlflow.log_params({"model":"ridge","alpha":a})
        mlflow.log_metrics({"rmse":19+a/10,"mae":13.2+a/9,"r2":0.61-a/100})
        mlflow.log_input(mlflow.data.from_pandas(X,name="flights"),context="training")
        m=mlflow.sklearn.log_model(Ridge(a).fit(X,y),name="model",input_example=X.head(3),registered_model_name="flight_delay")
        (d/"report.html").write_text("<h1>Report</h1><p id=x>static</p><script>document.getElementById('x').textContent='script ran in '+origin;try{parent.document.title='pwned'}catch(e){document.body.append(' blocked: '+e.name)}fetch('/ajax-api/2.0/mlflow/experiments/search').then(()=>{document.body.append(' FETCHED')},()=>document.body.append(' fetch refused'))</script>")
        (d/"notes.md").write_text("# Notes\n\nA *ridge* with **alpha** `%s`.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint(1)\n```\n[link](https://example.org) <img src=x onerror=alert(1)>\n"%a)
        (d/"residuals.csv").write_text("id,actual,predicted\n"+"\n".join(f"{i},{y[i]:.4f},{y[i]+random.gauss(0,.1):.4f}" for i in range(50)))
        (d/"summary.json").write_text(json.dumps({"rows":50,"features":list(X.columns),"nested":{"a":[1,2,3]}}))
        (d/"analysis.ipynb").write_text(json.dumps({"cells":[{"cell_type":"markdown","metadata":{},"source":["# Analysis\n","of residuals"]},{"cell_type":"code","execution_count":1,"metadata":{},"source":["1+1"],"outputs":[{"output_type":"execute_result","data":{"text/plain":["2"]},"metadata":{},"execution_count":1}]}],"metadata":{},"nbformat":4,"nbformat_minor":5}))
        import matplotlib; matplotlib.use("Agg"); import matplotlib.pyplot as plt
        f=plt.figure(figsize=(4,3)); plt.plot(sorted(y)); plt.title("delay"); f.savefig(d/"plot.png"); plt.close(f)
        mlflow.log_artifacts(str(d),"reports"); mlflow.log_text("hello\n"*20,"log.txt")
with mlflow.start_run(run_name="broken"): mlflow.log_param("model","gbt"); mlflow.log_metric("rmse",float("nan")); mlflow.end_run("FAILED")
c=mlflow.MlflowClient()
c.transition_model_version_stage("flight_delay","1","Staging"); c.transition_model_version_stage("flight_delay","2","Production")
c.set_registered_model_alias("flight_delay","champion","2"); c.update_model_version("flight_delay","2","Ridge, all features")
c.create_experiment("empty one"); c.set_experiment_tag(c.get_experiment_by_name("/Shared/flights").experiment_id,"mlflow.note.content","Delays of flights from New York in 2013.")
mlflow.set_experiment("/Shared/hotels")
for a in (0.5,5.0):
    with mlflow.start_run(run_name=f"hotel ridge {a}"): mlflow.log_params({"model":"ridge","alpha":a}); mlflow.log_metric("rmse",30+a)
mlflow.set_experiment("/Shared/assistant")
@mlflow.trace(span_type="RETRIEVER")
def retrieve(question): return [{"page_content":"Delays peak in July.","metadata":{"doc_uri":"delays.md"}}]
@mlflow.trace(span_type="TOOL")
def query(sql): raise ValueError("no such table: flihgts")
@mlflow.trace(span_type="CHAT_MODEL")
def complete(messages):
    mlflow.get_current_active_span().set_attribute("mlflow.chat.tokenUsage",{"input_tokens":120,"output_tokens":34,"total_tokens":154})
    return {"choices":[{"message":{"role":"assistant","content":"Most flights are late in July."}}]}
@mlflow.trace(span_type="CHAIN")
def answer(question,broken=False):
    retrieve(question)
    if broken: query("SELECT * FROM flihgts")
    return complete([{"role":"system","content":"Use the documents."},{"role":"user","content":question}])
for i in range(60):
    answer(f"When are flights late, try {i}?"); t=mlflow.get_last_active_trace_id()
time.sleep(.02) # the newest is told from the others by milliseconds
try: answer("Which table?",broken=True)
except ValueError: pass
mlflow.flush_trace_async_logging()
mlflow.set_trace_tag(t,"team","blue")
ana=mlflow.entities.AssessmentSource("HUMAN","ana")
mlflow.log_feedback(trace_id=t,name="correct",value=True,rationale="July is right.",source=ana); mlflow.log_expectation(trace_id=t,name="month",value="July",source=ana)
mlflow.set_experiment("/Shared/flights")
r=mlflow.start_run(run_name="still training"); mlflow.log_param("model","net")
for i in range(40): mlflow.log_metrics({"rmse":30*math.exp(-i/9)+12,"loss":5*math.exp(-i/5)},step=i)
os._exit(0)
