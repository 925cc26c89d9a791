#include "ops/adamw/adamw.h"

#include <set>

#include "ops/adamw/adamw-cpu.h"
#include "ops/adamw/adamw-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

std::string item(const char* list, size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

void checkCounts(Expect& expect, const AdamwArguments& arguments) {
  const size_t count = arguments.parameters.size();
  const auto check = [&](const char* name, size_t got) {
    expect.that(got == count, ErrorCode::argument, name,
                "one for each of the " + std::to_string(count) + " parameters", std::to_string(got));
  };
  check("gradients", arguments.gradients.size());
  check("firstMoments", arguments.firstMoments.size());
  check("secondMoments", arguments.secondMoments.size());
  check("weightDecays", arguments.weightDecays.size());
  if (!arguments.masters.empty()) check("masters", arguments.masters.size());
}

// A float32 tensor that belongs to parameter `index`.
void checkCompanion(Expect& expect, const char* list, size_t index, const Tensor& tensor,
                    const Tensor& parameter) {
  const std::string name = item(list, index);
  const std::string parameterName = item("parameters", index);
  expect.dtype(name.c_str(), tensor, DType::float32)
      .sameShape(name.c_str(), tensor, parameterName.c_str(), parameter)
      .sameDevice(name.c_str(), tensor, parameterName.c_str(), parameter);
}

void checkMaster(Expect& expect, const AdamwArguments& arguments, size_t index) {
  const Tensor& parameter = arguments.parameters[index];
  const auto master = arguments.masters.empty() ? std::nullopt : arguments.masters[index];
  const bool isWanted = parameter.dtype() != DType::float32;
  expect.that(master.has_value() == isWanted, ErrorCode::argument, item("masters", index).c_str(),
              (isWanted ? "given for a parameter of " : "undefined for a parameter of ") +
                  std::string(nameOf(parameter.dtype())),
              master ? "a tensor" : "undefined");
  if (master) checkCompanion(expect, "masters", index, *master, parameter);
}

void check(const AdamwArguments& arguments) {
  Expect expect("adamw");
  checkCounts(expect, arguments);
  expect.notNegative("learningRate", arguments.learningRate).positive("eps", arguments.eps);
  for (const auto& [name, beta] : {std::pair("beta1", arguments.beta1), {"beta2", arguments.beta2}})
    expect.that(beta >= 0 && beta < 1, ErrorCode::argument, name, "a number from 0 to 1, 1 left out",
                numberText(beta));
  expect.that(arguments.step >= 1, ErrorCode::argument, "step", "1 or more", std::to_string(arguments.step));
  std::set<const void*> seen;
  for (size_t index = 0; index < arguments.parameters.size(); index++) {
    const Tensor& parameter = arguments.parameters[index];
    const std::string name = item("parameters", index);
    expect.floating(name.c_str(), parameter)
        .sameDevice(name.c_str(), parameter, "parameters[0]", arguments.parameters[0])
        .notNegative(item("weightDecays", index).c_str(), arguments.weightDecays[index]);
    expect.that(parameter.elements() == 0 || seen.insert(parameter.raw()).second, ErrorCode::argument,
                name.c_str(), "a parameter that is not in the list before", "it twice");
    checkCompanion(expect, "gradients", index, arguments.gradients[index], parameter);
    checkCompanion(expect, "firstMoments", index, arguments.firstMoments[index], parameter);
    checkCompanion(expect, "secondMoments", index, arguments.secondMoments[index], parameter);
    checkMaster(expect, arguments, index);
  }
  if (arguments.gradientScale && !arguments.parameters.empty())
    expect.shape("gradientScale", *arguments.gradientScale, {})
        .dtype("gradientScale", *arguments.gradientScale, DType::float32)
        .sameDevice("gradientScale", *arguments.gradientScale, "parameters[0]", arguments.parameters[0]);
}

}  // namespace

void adamw(const AdamwArguments& arguments) {
  check(arguments);
  if (arguments.parameters.empty()) return;
  onDevice(
      arguments.parameters[0].device(), [&]<cpu::Isa isa>() { cpu::adamw<isa>(arguments); },
      [&](auto& stream) { cuda::adamw(stream, arguments); });
}

}  // namespace crossmap
