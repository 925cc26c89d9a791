#pragma once
#include "ops/adamw/adamw.h"
#include "runtime/cpu/isa.h"

namespace crossmap::cpu {

template <Isa isa>
void adamw(const AdamwArguments& arguments);

}  // namespace crossmap::cpu
