import './no-telemetry.ts';

// The one door to ONNX Runtime.
export { InferenceSession, listSupportedBackends, Tensor, type OnnxValue } from 'onnxruntime-node';
