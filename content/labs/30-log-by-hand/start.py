import mlflow

alpha = 0.5
losses = [0.9, 0.6, 0.45, 0.4, 0.39]
rmse = 2.31

# TODO: log a run called baseline
for step, loss in enumerate(losses):
    print(step, loss)
print("alpha", alpha, "rmse", rmse)
