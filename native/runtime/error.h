#pragma once
#include <stdexcept>
#include <string>

namespace crossmap {

// The codes of lib/errors.ts that native code throws.
enum class ErrorCode {
  argument,
  shape,
  dtype,
  device,
  disposed,
  outOfMemory,
  index,
  io,
  internal,
};

// `ERR_SHAPE` and the like, as JavaScript sees them.
const char* codeName(ErrorCode code);

// A mistake of the caller or a fault of the world; the addon turns it into a CrossmapError.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace crossmap
