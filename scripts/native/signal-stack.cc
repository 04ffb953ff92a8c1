// Gives the thread that loads it a stack of its own for signal handlers.
//
// oneDNN's products of matrices for AVX-512 point the stack pointer into a buffer on the heap. A signal that is handled on the
// thread's stack meanwhile (V8's CPU profiler sends one for each sample) writes below that buffer and ends the process with
// "corrupted size vs. prev_size". V8 handles it on the alternate stack where the thread has one.
#include <node_api.h>
#include <signal.h>
#include <sys/mman.h>

namespace {

// A frame with AVX-512 and AMX state has 11 KiB; the rest is for the handler.
constexpr size_t kBytes = 256 * 1024;

void Free(void* memory) {
  stack_t off = {};
  off.ss_flags = SS_DISABLE;
  sigaltstack(&off, nullptr);
  munmap(memory, kBytes);
}

}  // namespace

NAPI_MODULE_INIT() {
  stack_t present = {};
  if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return exports;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return exports;
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = kBytes;
  if (sigaltstack(&stack, nullptr) != 0) {
    munmap(memory, kBytes);
    return exports;
  }
  napi_add_env_cleanup_hook(env, Free, memory);
  return exports;
}
