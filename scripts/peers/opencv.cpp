/* SPDX-License-Identifier: BSD-2-Clause */
// OpenCV's dnn module as a peer: opencv NETWORK.onnx INPUT THREADS CxHxW
#include "peer.h"

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

static struct {
    const char *network, *input_path;
    int threads, shape[4];
    cv::dnn::Net net;
    cv::Mat input, result;
} peer;

static void load()
{
    cv::setNumThreads(peer.threads);
    peer.net = cv::dnn::readNetFromONNX(peer.network);
    peer.net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    peer.net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    const size_t count = static_cast<size_t>(peer.shape[1]) * peer.shape[2] * peer.shape[3];
    peer.input = cv::Mat(4, peer.shape, CV_32F, read_floats(peer.input_path, count));
}

static void run()
{
    peer.net.setInput(peer.input);
    peer.result = peer.net.forward();
}

static void output(const char *path)
{
    const cv::Mat result = peer.result.clone();
    write_floats(path, result.ptr<float>(), result.total());
}

int main(int argc, char **argv)
{
    if (argc != 5 || sscanf(argv[4], "%dx%dx%d", &peer.shape[1], &peer.shape[2], &peer.shape[3]) != 3) {
        fail("usage: opencv NETWORK.onnx INPUT THREADS CxHxW");
    }
    peer.network = argv[1];
    peer.input_path = argv[2];
    peer.threads = atoi(argv[3]);
    peer.shape[0] = 1;
    try {
        serve(load, run, output);
    } catch (const std::exception &e) {
        fail(e.what());
    }
    return 0;
}
