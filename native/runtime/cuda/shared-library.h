#pragma once
#include <string>

namespace crossmap::cuda {

// A library that is looked for at run time and may not be there. It stays loaded to the end of the process:
// drivers and cuBLASLt have threads and handlers of their own, which must not find their code gone.
class SharedLibrary {
 public:
  // The first of the names that can be loaded; the system's rules say where.
  template <typename... Names>
  static SharedLibrary find(const Names&... names) {
    SharedLibrary library;
    ((library.handle_ || library.open(names)), ...);
    return library;
  }

  explicit operator bool() const { return handle_ != nullptr; }
  const std::string& name() const { return name_; }
  // Why none was loaded.
  const std::string& reason() const { return reason_; }

  // Sets `function` to the library's function; false where it has none of that name.
  template <typename Function>
  bool look(const char* symbol, Function*& function) const {
    function = reinterpret_cast<Function*>(address(symbol));
    return function != nullptr;
  }

 private:
  bool open(const char* name);
  void* address(const char* symbol) const;

  void* handle_ = nullptr;
  std::string name_;
  std::string reason_;
};

}  // namespace crossmap::cuda
