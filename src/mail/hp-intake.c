#include "hp-intake.h"

G_DEFINE_QUARK(hp - intake - error - quark, hp_intake_error)
