"""Steps that predict, then learn: `learner(name, sizes)` gives a function of features [rows, n] and labels [rows, 1], float32,
that returns the predictions made before the update, [rows, 1]."""

import os


def learner(name, sizes):
    return {"torch": torch_adam, "torch-fused": torch_fused, "tensorflow": tensorflow_adam, "river": river_linear}[name](sizes)


def torch_adam(sizes, fused=False):
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    torch.manual_seed(1)
    layers = []
    for units_in, units_out in zip(sizes[:-2], sizes[1:-1]):
        layers += [torch.nn.Linear(units_in, units_out), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-2], sizes[-1]))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, fused=fused)
    loss_of = torch.nn.MSELoss()

    def step(features, labels):
        optimizer.zero_grad(set_to_none=True)
        predictions = net(torch.from_numpy(features))
        loss = loss_of(predictions, torch.from_numpy(labels))
        loss.backward()
        optimizer.step()
        loss.item()
        return predictions.detach().numpy()

    return step


def torch_fused(sizes):
    return torch_adam(sizes, fused=True)


def tensorflow_adam(sizes):
    import tensorflow as tf

    tf.random.set_seed(1)
    layers = [tf.keras.layers.Dense(units, activation="relu") for units in sizes[1:-1]]
    net = tf.keras.Sequential([tf.keras.Input((sizes[0],)), *layers, tf.keras.layers.Dense(sizes[-1])])
    optimizer = tf.keras.optimizers.Adam(0.001)
    optimizer.build(net.trainable_variables)
    specs = [tf.TensorSpec([None, sizes[0]], tf.float32), tf.TensorSpec([None, 1], tf.float32)]

    @tf.function(input_signature=specs)
    def graph(features, labels):
        with tf.GradientTape() as tape:
            predictions = net(features, training=True)
            loss = tf.reduce_mean(tf.square(predictions - labels))
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables))
        return predictions, loss

    def step(features, labels):
        predictions, loss = graph(tf.constant(features), tf.constant(labels))
        loss.numpy()
        return predictions.numpy()

    return step


def river_linear(sizes):
    import pandas as pd
    from river import linear_model, optim

    model = linear_model.LinearRegression(optimizer=optim.Adam(0.001), intercept_lr=0.001)
    names = [f"f{n}" for n in range(sizes[0])]

    def step(features, labels):
        rows = pd.DataFrame(features, columns=names)
        predictions = model.predict_many(rows).to_numpy()
        model.learn_many(rows, pd.Series(labels[:, 0], name="target"))
        return predictions.reshape(-1, 1)

    return step
