/* A closure of two-layer flow in C: linear drag on q, the first field, with a rate of its own. */
#include <hybrid_tendency.h>

struct drag {
  double rate;          /* [s-1] */
  int64_t failing_step; /* the step at which it gives up, or -1 */
  int64_t calls;
  int64_t last_step;
  int64_t last_stage;
};

static int64_t numbers(const int64_t *sizes) {
  return sizes[HYBRID_TENDENCY_LAYERS] * sizes[HYBRID_TENDENCY_ROWS] *
         sizes[HYBRID_TENDENCY_POINTS];
}

int drag(void *context, int64_t step, int64_t stage, const void *fields, void *tendency,
         const int64_t *sizes) {
  struct drag *self = context;
  if (sizes[HYBRID_TENDENCY_FIELDS] != 3 || sizes[HYBRID_TENDENCY_TENDENCIES] != 1) return 2;
  if (step == self->failing_step) return 7;
  for (int64_t i = 0; i < numbers(sizes); ++i) {
    if (sizes[HYBRID_TENDENCY_BYTES] == 8)
      ((double *)tendency)[i] = -self->rate * ((const double *)fields)[i];
    else
      ((float *)tendency)[i] = -(float)self->rate * ((const float *)fields)[i];
  }
  ++self->calls;
  self->last_step = step;
  self->last_stage = stage;
  return 0;
}

/* Without a context, and it writes nothing. */
int nothing(void *context, int64_t step, int64_t stage, const void *fields, void *tendency,
            const int64_t *sizes) {
  (void)step, (void)stage, (void)fields, (void)tendency, (void)sizes;
  return context != 0;
}

hybrid_tendency_function functions[] = {drag, nothing};
