#include "addon/mapped-file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "addon/convert.h"
#include "addon/guard.h"

namespace crossmap::addon {

namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail();
  }
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  size_t size() const {
    struct stat status {};
    if (fstat(descriptor_, &status) != 0) fail();
    if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::io, "mapFile: " + path_ + " is not a file");
    return static_cast<size_t>(status.st_size);
  }

  // Private and writable: a stray write through the array changes this process's copy alone, and is no fault.
  void* map(size_t size) const {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor_, 0);
    if (memory == MAP_FAILED) fail();
    return memory;
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorCode::io, "mapFile: " + path_ + " cannot be mapped: " + std::strerror(errno));
  }

  std::string path_;
  int descriptor_;
};

}  // namespace

Napi::Value mapFile(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto path = fromValue<std::string>(info[0], {"mapFile: path"});
    // The system would open what is named before it.
    if (path.find('\0') != std::string::npos)
      throw Error(ErrorCode::argument, "mapFile: path must have no null character");
    const OpenFile file(path);
    const size_t size = file.size();
    if (size == 0) return Napi::Uint8Array::New(info.Env(), 0);
    const auto unmap = [size](Napi::Env, void* memory) { munmap(memory, size); };
    const auto buffer = Napi::ArrayBuffer::New(info.Env(), file.map(size), size, unmap);
    return Napi::Uint8Array::New(info.Env(), size, buffer, 0);
  });
}

}  // namespace crossmap::addon
