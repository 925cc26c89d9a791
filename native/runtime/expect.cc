#include "runtime/expect.h"

#include <charconv>

namespace crossmap {

namespace {

std::string matching(const char* name, const Tensor& tensor) {
  return std::string(" to match ") + name + " " + tensor.shape().text();
}

}  // namespace

std::string numberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

void Expect::fail(ErrorCode code, const std::string& message) const {
  throw Error(code, op_ + ": " + message);
}

Expect& Expect::that(bool holds, ErrorCode code, const char* name, const std::string& expected,
                     const std::string& got) {
  if (!holds) fail(code, std::string(name) + " must be " + expected + "; got " + got);
  return *this;
}

Expect& Expect::rank(const char* name, const Tensor& tensor, int rank) {
  const std::string expected = std::to_string(rank) + (rank == 1 ? " axis" : " axes");
  if (tensor.rank() != rank)
    fail(ErrorCode::shape, std::string(name) + " must have " + expected + "; got " + tensor.shape().text());
  return *this;
}

Expect& Expect::rankAtLeast(const char* name, const Tensor& tensor, int rank) {
  if (tensor.rank() < rank)
    fail(ErrorCode::shape, std::string(name) + " must have at least " + std::to_string(rank) +
                               (rank == 1 ? " axis" : " axes") + "; got " + tensor.shape().text());
  return *this;
}

Expect& Expect::shape(const char* name, const Tensor& tensor, const Shape& expected) {
  return that(tensor.shape() == expected, ErrorCode::shape, name, expected.text(), tensor.shape().text());
}

Expect& Expect::shape(const char* name, const Tensor& tensor, const Shape& expected, const char* otherName,
                      const Tensor& other) {
  return that(tensor.shape() == expected, ErrorCode::shape, name,
              expected.text() + matching(otherName, other), tensor.shape().text());
}

Expect& Expect::sameShape(const char* name, const Tensor& tensor, const char* otherName,
                          const Tensor& other) {
  return shape(name, tensor, other.shape(), otherName, other);
}

Expect& Expect::dtype(const char* name, const Tensor& tensor, DType expected) {
  return that(tensor.dtype() == expected, ErrorCode::dtype, name, std::string(nameOf(expected)),
              std::string(nameOf(tensor.dtype())));
}

Expect& Expect::floating(const char* name, const Tensor& tensor) {
  return that(isFloat(tensor.dtype()), ErrorCode::dtype, name, "float32, bfloat16 or float16",
              std::string(nameOf(tensor.dtype())));
}

Expect& Expect::sameDType(const char* name, const Tensor& tensor, const char* otherName,
                          const Tensor& other) {
  return that(tensor.dtype() == other.dtype(), ErrorCode::dtype, name,
              std::string(nameOf(other.dtype())) + " to match " + otherName,
              std::string(nameOf(tensor.dtype())));
}

Expect& Expect::sameDevice(const char* name, const Tensor& tensor, const char* otherName,
                           const Tensor& other) {
  return that(tensor.device() == other.device(), ErrorCode::device, name,
              "on " + other.device().name() + " to match " + otherName, tensor.device().name());
}

Expect& Expect::positive(const char* name, double value) {
  return that(std::isfinite(value) && value > 0, ErrorCode::argument, name, "a number above 0",
              numberText(value));
}

Expect& Expect::notNegative(const char* name, double value) {
  return that(std::isfinite(value) && value >= 0, ErrorCode::argument, name, "a number, 0 or more",
              numberText(value));
}

Expect& Expect::finite(const char* name, double value) {
  return that(std::isfinite(value), ErrorCode::argument, name, "a finite number", numberText(value));
}

Expect& Expect::between(const char* name, double value, double low, double high) {
  return that(value >= low && value <= high, ErrorCode::argument, name,
              "from " + numberText(low) + " to " + numberText(high), numberText(value));
}

}  // namespace crossmap
