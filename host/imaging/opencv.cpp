/* SPDX-License-Identifier: BSD-2-Clause */
/* The bridge to OpenCV. */
#include "imaging/opencv.h"

extern "C" {
#include "core/memory.h"
}

#include <iostream>
#include <mutex>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

const char bdnn_cv_out_of_memory[] = "out of memory";

namespace
{

cv::Mat matrix_of(const bdnn_image *image)
{
    return cv::Mat(image->height, image->width, image->channels == 3 ? CV_8UC3 : CV_8UC1, image->pixels);
}

/* Runs `work`, which returns NULL or a message. */
template <typename Work> const char *guarded(Work work)
{
    try {
        return work();
    } catch (const std::bad_alloc &) {
        return bdnn_cv_out_of_memory;
    } catch (const cv::Exception &error) {
        return error.code == cv::Error::StsNoMem ? bdnn_cv_out_of_memory : "OpenCV cannot process it";
    } catch (const std::exception &) {
        return "OpenCV cannot process it";
    }
}

/* OpenCV's readers print what they find wrong in a file to std::cerr, and a library must not. They run one at a time
 * while it leads nowhere. */
class Silence
{
  public:
    Silence() : lock_(mutex_), previous_(std::cerr.rdbuf(nullptr))
    {
    }
    ~Silence()
    {
        std::cerr.rdbuf(previous_); /* which also clears the state that writing to nowhere left */
    }
    Silence(const Silence &) = delete;
    Silence &operator=(const Silence &) = delete;

  private:
    static std::mutex mutex_;
    std::lock_guard<std::mutex> lock_;
    std::streambuf *previous_;
};

std::mutex Silence::mutex_;

} // namespace

const char *bdnn_cv_decode(const uint8_t *data, size_t size, uint8_t **pixels, int32_t *width, int32_t *height,
                           int32_t *channels)
{
    return guarded([&]() -> const char * {
        const Silence silence;
        const cv::Mat bytes(1, static_cast<int>(size), CV_8UC1, const_cast<uint8_t *>(data));
        cv::Mat image = cv::imdecode(bytes, cv::IMREAD_ANYCOLOR | cv::IMREAD_IGNORE_ORIENTATION);
        if (image.empty() || image.depth() != CV_8U || (image.channels() != 1 && image.channels() != 3)) {
            return "not an image that OpenCV decodes, or damaged";
        }
        *pixels = static_cast<uint8_t *>(bdnn_alloc(image.total(), image.elemSize()));
        if (!*pixels) {
            return bdnn_cv_out_of_memory;
        }
        cv::Mat out(image.rows, image.cols, image.type(), *pixels);
        if (image.channels() == 3) {
            cv::cvtColor(image, out, cv::COLOR_BGR2RGB);
        } else {
            image.copyTo(out);
        }
        *width = image.cols;
        *height = image.rows;
        *channels = image.channels();
        return nullptr;
    });
}

const char *bdnn_cv_resize(const bdnn_image *image, int32_t width, int32_t height, uint8_t *out)
{
    return guarded([&]() -> const char * {
        cv::Mat to(height, width, image->channels == 3 ? CV_8UC3 : CV_8UC1, out);
        const bool shrinks = width < image->width || height < image->height;
        cv::resize(matrix_of(image), to, to.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
        return to.data == out ? nullptr : "cannot resize";
    });
}

const char *bdnn_cv_text(bdnn_image *image, const char *text, int32_t x, int32_t y, double size, const uint8_t color[3])
{
    return guarded([&]() -> const char * {
        cv::Mat to = matrix_of(image);
        cv::putText(to, text, cv::Point(x, y), cv::FONT_HERSHEY_SIMPLEX, size, cv::Scalar(color[0], color[1], color[2]),
                    1, cv::LINE_AA);
        return nullptr;
    });
}
