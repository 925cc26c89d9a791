#include "runtime/cuda/shared-library.h"

#include <dlfcn.h>

namespace crossmap::cuda {

bool SharedLibrary::open(const char* name) {
  handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (handle_) {
    name_ = name;
    return true;
  }
  if (reason_.empty()) {
    const char* error = dlerror();
    reason_ = error ? error : "unknown";
  }
  return false;
}

void* SharedLibrary::address(const char* symbol) const { return dlsym(handle_, symbol); }

}  // namespace crossmap::cuda
