/* SPDX-License-Identifier: BSD-2-Clause */
/* A Verilated module as open_emu.h has a model: what is the same for all modules. build-xclbin writes a file a kernel
 * that copies the pins, gives the names, and instantiates this. With OPEN_EMU_TRACE the module was made with
 * --trace-fst. */
#ifndef OPEN_EMU_RTL_MODEL_H
#define OPEN_EMU_RTL_MODEL_H

#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "open_emu.h"
#include "verilated.h"
#ifdef OPEN_EMU_TRACE
#include "verilated_fst_c.h"
#endif

/* Whose code runs: for what Verilator's library says when a model stops. */
struct OpenEmuRunning {
    const char *name;
    void (*fault)(const char *name, const char *what);
};
extern OpenEmuRunning open_emu_running;

/* Pins: a class with
 *   Top                         the Verilated class
 *   put(Top &, const open_emu_pins &)      pins to the model
 *   get(const Top &, open_emu_pins &)      pins from it
 *   clock(Top &)                a reference to its clock */
template <class Pins> class OpenEmuModel
{
  public:
    static void *create(const char *name, void (*fault)(const char *name, const char *what))
    {
        try {
            return new OpenEmuModel(name, fault);
        } catch (const std::bad_alloc &) {
            return nullptr;
        }
    }
    static void settle(void *model, open_emu_pins *pins)
    {
        self(model).settle_cycle(*pins);
    }
    static void edge(void *model)
    {
        self(model).clock_edge();
    }
    static int trace_open(void *model, const char *path)
    {
        return self(model).open_trace(path);
    }
    static void trace_close(void *model)
    {
        self(model).close_trace();
    }
    static void destroy(void *model)
    {
        delete &self(model);
    }

  private:
    std::string name_;
    OpenEmuRunning running_;
    VerilatedContext context_;
    std::unique_ptr<typename Pins::Top> top_;
    uint64_t cycle_ = 0;

    OpenEmuModel(const char *name, void (*fault)(const char *name, const char *what)) : name_(name)
    {
        running_ = {name_.c_str(), fault};
        open_emu_running = running_;
#ifdef OPEN_EMU_TRACE
        context_.traceEverOn(true);
#endif
        top_.reset(new typename Pins::Top{&context_, name_.c_str()});
    }
    ~OpenEmuModel()
    {
        open_emu_running = running_;
        close_trace();
        top_->final();
    }
    static OpenEmuModel &self(void *model)
    {
        return *static_cast<OpenEmuModel *>(model);
    }
    void settle_cycle(open_emu_pins &pins)
    {
        open_emu_running = running_;
        Pins::put(*top_, pins);
        Pins::clock(*top_) = 0;
        top_->eval();
        Pins::get(*top_, pins);
        dump(2 * cycle_);
    }
    void clock_edge()
    {
        open_emu_running = running_;
        Pins::clock(*top_) = 1;
        top_->eval();
        dump(2 * cycle_ + 1);
        cycle_++;
    }
#ifdef OPEN_EMU_TRACE
    std::unique_ptr<VerilatedFstC> trace_;

    int open_trace(const char *path)
    {
        trace_.reset(new VerilatedFstC);
        top_->trace(trace_.get(), 99);
        trace_->open(path);
        if (!trace_->isOpen())
            trace_.reset();
        return trace_ != nullptr;
    }
    void close_trace()
    {
        if (trace_)
            trace_->close();
        trace_.reset();
    }
    /* Half a cycle is a unit of time. */
    void dump(uint64_t time)
    {
        if (trace_)
            trace_->dump(time);
    }
#else
    int open_trace(const char *)
    {
        return 0;
    }
    void close_trace()
    {
    }
    void dump(uint64_t)
    {
    }
#endif
};

#endif
