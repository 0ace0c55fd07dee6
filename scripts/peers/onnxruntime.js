// SPDX-License-Identifier: BSD-2-Clause
// ONNX Runtime as a peer: onnxruntime.js NETWORK.onnx INPUT THREADS CxHxW [OPTIMIZED.onnx]
// Speaks as peer.h says, and also answers "ranges FILE" by the least and largest value of each output, as JSON.
// Where OPTIMIZED.onnx is given, the graph as ONNX Runtime runs it is written there.
'use strict';
const fs = require('fs');
const readline = require('readline');
const ort = require('onnxruntime-node');

const [network, inputPath, threads, shape, optimized] = process.argv.slice(2);
let session, feeds, results;

async function load() {
    const options = {
        executionProviders: ['cpu'],
        intraOpNumThreads: Number(threads),
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
    };
    if (optimized) {
        options.optimizedModelFilePath = optimized;
    }
    session = await ort.InferenceSession.create(network, options);
    const bytes = fs.readFileSync(inputPath);
    const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    feeds = {[session.inputNames[0]]: new ort.Tensor('float32', data, [1, ...shape.split('x').map(Number)])};
    results = await session.run(feeds);
    return 'ready';
}

async function run(count) {
    const times = [];
    results = await session.run(feeds);
    for (let i = 0; i < count; i++) {
        const start = process.hrtime.bigint();
        results = await session.run(feeds);
        times.push((Number(process.hrtime.bigint() - start) / 1e6).toFixed(4));
    }
    return times.join(' ');
}

function output(path) {
    const data = results[session.outputNames[0]].data;
    fs.writeFileSync(path, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    return 'written';
}

function ranges(path) {
    const all = {};
    for (const name of session.outputNames) {
        let low = Infinity, high = -Infinity;
        for (const value of results[name].data) {
            low = Math.min(low, Number(value));
            high = Math.max(high, Number(value));
        }
        all[name] = [low, high];
    }
    fs.writeFileSync(path, JSON.stringify(all));
    return 'written';
}

async function main() {
    console.log('started');
    for await (const line of readline.createInterface({input: process.stdin})) {
        const [request, argument] = [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)];
        const answers = {load, run: () => run(Number(argument)), output: () => output(argument), ranges: () => ranges(argument)};
        console.log(await answers[request]());
    }
}

main().catch((error) => {
    console.error(String(error.message).split('\n')[0]);
    process.exit(1);
});
