#pragma once
#include <cmath>
#include <string>
#include <vector>

#include "runtime/tensor.h"

namespace crossmap {

// The checks of an op's arguments, in the words of every error message:
//   Expect("rmsNorm").rank("x", x, 2).shape("weight", weight, {x.size(1)}, "x", x);
// Each throws with the op, the argument, what was expected (and because of what), and what came.
class Expect {
 public:
  explicit Expect(std::string op) : op_(std::move(op)) {}

  Expect& rank(const char* name, const Tensor& tensor, int rank);
  Expect& rankAtLeast(const char* name, const Tensor& tensor, int rank);
  Expect& shape(const char* name, const Tensor& tensor, const Shape& expected);
  // `to match other`: the tensor because of which the shape must be so.
  Expect& shape(const char* name, const Tensor& tensor, const Shape& expected, const char* otherName,
                const Tensor& other);
  Expect& sameShape(const char* name, const Tensor& tensor, const char* otherName, const Tensor& other);
  Expect& dtype(const char* name, const Tensor& tensor, DType expected);
  Expect& floating(const char* name, const Tensor& tensor);
  Expect& sameDType(const char* name, const Tensor& tensor, const char* otherName, const Tensor& other);
  Expect& sameDevice(const char* name, const Tensor& tensor, const char* otherName, const Tensor& other);
  // A finite number above 0.
  Expect& positive(const char* name, double value);
  // A finite number, 0 or more.
  Expect& notNegative(const char* name, double value);
  Expect& finite(const char* name, double value);
  Expect& between(const char* name, double value, double low, double high);
  // For what no other check says: `expected` completes "<op>: <name> must be ..."
  Expect& that(bool holds, ErrorCode code, const char* name, const std::string& expected,
               const std::string& got);

  [[noreturn]] void fail(ErrorCode code, const std::string& message) const;

 private:
  std::string op_;
};

// A number as JavaScript prints it, for messages.
std::string numberText(double value);

}  // namespace crossmap
