package solver

// tiny is a solver with a net of its own that needs no files: a linear regression on drawn numbers,
// with Dropout.
const tiny = `
random_seed: 3 base_lr: 0.05 lr_policy: "fixed" momentum: 0.9
net_param {
  name: "tiny"
  layer { name: "x" type: "DummyData" top: "x" top: "y"
    dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 1 } data_filler { type: "gaussian" } data_filler { type: "uniform" } } }
  layer { name: "drop" type: "Dropout" bottom: "x" top: "x" include { phase: TRAIN } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 1 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
}
`
