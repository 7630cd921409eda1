// Which engine runs an archive.
#pragma once

#include <memory>
#include <string>

#include "archive.hpp"
#include "engine.hpp"
#include "spec.hpp"

namespace hybrid {

struct ChosenModel {
  std::unique_ptr<const Model> model;
  std::string why_not_native = {};  // of 'auto' that chose another; else empty
};

// Opens the archive with the engine asked for. 'auto' is the native one where the archive holds a
// program for it that the engine of this library takes, and the device is 'cpu'; else the one that
// the archive names. Only the engine that is chosen is opened, so that libtorch stays away from a
// host of the native one.
ChosenModel open_chosen(const std::string &asked, const Archive &archive, const Spec &spec,
                        const EngineOptions &options);

}  // namespace hybrid
