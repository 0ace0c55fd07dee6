# SPDX-License-Identifier: BSD-2-Clause
"""Makes the device library: the table of compute units that open_emu.h declares, an adaptor for each kernel, all compiled together
with the kernels' sources or with the models that Verilator makes of them."""
import os
import subprocess

C_STANDARD = ["-std=gnu11", "-O2", "-g", "-fPIC"]


class BuildError(Exception):
    """A compiler failed; holds what it said."""


def run(command, folder):
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except OSError as error:
        raise BuildError(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        raise BuildError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def write(path, content):
    with open(path, "w") as file:
        file.write(content)


def call_argument(argument):
    if argument.pointer:
        return f"({argument.type})open_emu_pointer(call, 0x{argument.offset:x})"
    return f"OPEN_EMU_SCALAR(call, {argument.type}, 0x{argument.offset:x})"


def c_adaptor(kernel):
    """Declares the kernel as its description has it (a definition that differs is a compiler's or a linker's complaint, where it
    can be seen) and calls it with what is in the registers."""
    types = [a.type for a in kernel.arguments] + [f"{o.type} *" for o in kernel.outputs]
    values = [call_argument(a) for a in kernel.arguments]
    values += [f"OPEN_EMU_OUTPUT(call, {o.type}, 0x{o.offset:x})" for o in kernel.outputs]
    joined = ",\n        ".join(values)
    return f"""
#ifdef __cplusplus
extern "C"
#endif
void {kernel.name}({", ".join(types) or "void"});

static void call_{kernel.name}(const struct open_emu_call *call)
{{
    (void)call;
    {kernel.name}({joined});
}}
"""


def kernel_entry(kernel):
    if kernel.model == "rtl":
        return (f"extern const struct open_emu_model open_emu_model_{kernel.name};\n"
                f'static const struct open_emu_kernel kernel_{kernel.name} = {{.name = "{kernel.name}", '
                f".span = 0x{kernel.span:x}, .model = &open_emu_model_{kernel.name}}};\n")
    outputs = ", ".join(f"{{0x{o.offset:x}, {o.bytes}}}" for o in kernel.outputs)
    text = f"static const struct open_emu_output outputs_{kernel.name}[] = {{{outputs}}};\n" if outputs else ""
    count = f".output_count = {len(kernel.outputs)}, .outputs = outputs_{kernel.name}, " if outputs else ""
    return text + (f'static const struct open_emu_kernel kernel_{kernel.name} = {{.name = "{kernel.name}", '
                   f".span = 0x{kernel.span:x}, {count}.call = call_{kernel.name}}};\n")


def table(name, kernels, instances, memory, clock_mhz):
    """device.c of the library."""
    text = "/* Written by build-xclbin. */\n#include \"open_emu.h\"\n"
    for kernel in kernels:
        if kernel.model == "c":
            text += c_adaptor(kernel)
    text += "\n" + "".join(kernel_entry(kernel) for kernel in kernels)
    rows = "".join(f'    {{"{i.name}", &kernel_{i.kernel.name}, 0x{i.base:x}}},\n' for i in instances)
    return text + f"""
static const struct open_emu_instance instances[] = {{
{rows}}};

__attribute__((visibility("default"))) const struct open_emu_device open_emu_device = {{
    .abi = OPEN_EMU_ABI,
    .name = "{name}",
    .memory_base = 0x{memory[0]:x},
    .memory_size = 0x{memory[1]:x},
    .clock_mhz = {clock_mhz:g},
    .instance_count = {len(instances)},
    .instances = instances,
}};
"""


def compile_c(kernel, include, flags, folder):
    """Objects of the kernel's C or C++ sources."""
    objects, model = [], kernel.models["c"]
    for source in model["sources"]:
        stem = os.path.splitext(os.path.basename(source))[0]
        objects.append(f"{kernel.name}_{len(objects)}_{stem}.o")
        cxx = not source.endswith(".c")
        compiler = [os.environ.get("CXX", "c++"), "-O2", "-g", "-fPIC"] if cxx else [os.environ.get("CC", "cc"), *C_STANDARD]
        # What a synthesis tool reads as directives is nothing to a compiler.
        run([*compiler, "-Wno-unknown-pragmas", *(f"-I{i}" for i in [include, *model["includes"]]), *model["flags"], *flags,
             "-c", source, "-o", objects[-1]], folder)
    return objects


def build(name, kernels, instances, memory, clock_mhz, include, flags, folder, model_objects):
    """Returns the bytes of the library; `folder` is scratch. model_objects(kernels) gives the object files, archives and libraries of
    kernels that are models of hardware."""
    write(os.path.join(folder, "device.c"), table(name, kernels, instances, memory, clock_mhz))
    compiler = os.environ.get("CC", "cc")
    run([compiler, *C_STANDARD, f"-I{include}", *flags, "-c", "device.c", "-o", "device.o"], folder)
    functions = [k for k in kernels if k.model == "c"]
    models = [k for k in kernels if k.model == "rtl"]
    objects = ["device.o"]
    for kernel in functions:
        objects += compile_c(kernel, include, flags, folder)
    if models:
        objects += model_objects(models)
    mixed = models or any(not s.endswith(".c") for k in functions for s in k.models["c"]["sources"])
    linker = os.environ.get("CXX", "c++") if mixed else compiler
    run([linker, "-shared", "-Wl,-Bsymbolic", "-Wl,-z,defs", *flags, *objects, "-lm", *(["-pthread"] if models else []), "-o",
         "device.so"], folder)
    with open(os.path.join(folder, "device.so"), "rb") as file:
        return file.read()
