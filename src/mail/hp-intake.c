#include "hp-intake.h"

G_DEFINE_QUARK(hp_intake_error, hp_intake_error)
