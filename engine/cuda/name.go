package cuda

// Name is what the engine is registered as.
const Name = "cuda"
