import * as ort from 'onnxruntime-node';
export const x = ort;
