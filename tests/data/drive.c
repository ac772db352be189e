/* Drives an emitted program with buffers of exactly the sizes that its comments state, so that a sanitizer sees
 * every step outside them. The macros come from the compiler's command line:
 *   PROGRAM            the emitted file, as a string
 *   ROWS BATCH STEPS   of the training
 *   BLOCK STATES       entries of the parameter block, blocks of the optimizer
 *   LENGTH             entries of the whole array: the block, then the model's states
 *   SLOTS              {{offset, entries}, ...} of the parameters, then of these states
 *   DRAW               what sbp_gradients takes last: nothing, or the seed and step of random tensors
 *   MODES              1 where the objective of training is another than that of inference
 *   HYPERS             {...}, the scalar block
 *   INPUT TARGET       entries of a row of the input, and of the target and the output
 *   THREADS            that train at once, each its own parameters
 */
#include PROGRAM

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t slots[][2] = SLOTS;
static const double hypers[] = HYPERS;

static uint64_t noise_state = 1;

static double noise(void) {
    noise_state = noise_state*6364136223846793005u + 1442695040888963407u;
    return (double)(noise_state >> 11)/9007199254740992.0 - 0.5;
}

static void *exactly(size_t bytes, int fill) {
    void *made = NULL;
    if (posix_memalign(&made, 64, bytes ? bytes : 1)) abort();
    memset(made, fill, bytes);
    return made;
}

static real *block(int64_t entries, int fill) { return exactly(sizeof(real)*(size_t)entries, fill); }

/* Data need no more alignment than their type has. */
static real *data_of(int64_t entries) { return (real *)malloc(sizeof(real)*(size_t)entries); }

typedef struct {
    const real *const *data;
    real *params;
    int fill; /* of the arena: what it holds must not matter */
    double first, last;
} job;

static void *train(void *given) {
    job *j = given;
    real *state = block(STATES*(int64_t)BLOCK, 0), *arena = block(sbp_arena_size(BATCH), j->fill);
    double *losses = exactly(sizeof(double)*STEPS, 0);
    sbp_run run = {
        .params = j->params, .state = state, .hyper = hypers, .arena = arena, .data = j->data,
        .rows = ROWS, .batch = BATCH, .order_epoch = -1, .order = exactly(sizeof(int64_t)*ROWS, 0),
        .scratch = exactly(sizeof(uint64_t)*(4*ROWS + 2048), 0), .seed = 7, .shuffle = 1, .losses = losses,
    };
    for (int64_t done = 0; done < STEPS;) {
        const int64_t chunk = STEPS - done < 5 ? STEPS - done : 5;
        run.losses = losses + done;
        if (sbp_train(&run, chunk) != chunk) abort();
        done += chunk;
    }
    j->first = losses[0], j->last = losses[STEPS - 1];
    free(run.order), free(run.scratch), free(losses), free(state), free(arena);
    return NULL;
}

static real *parameters(void) {
    real *made = block(LENGTH, 0);
    noise_state = 2;
    for (size_t s = 0; s < sizeof slots/sizeof *slots; s++)
        for (int64_t i = 0; i < slots[s][1]; i++)
            made[slots[s][0] + i] = slots[s][0] < BLOCK ? (real)noise() : (real)1;
    return made;
}

/* Prediction, objective and gradient of the first N rows. */
static void once(const real *const *data, int64_t N, int fill) {
    real *params = parameters(), *grads = block(BLOCK, 0), *out = data_of(N*TARGET);
    real *arena = block(sbp_arena_size(N), fill);
    const real *const inputs_only[] = {data[0], NULL};
    real *const outputs[] = {out};
    sbp_predict(params, hypers, arena, inputs_only, N, outputs);
    const double loss = sbp_loss(params, hypers, arena, data, N);
    const double same = sbp_gradients(params, hypers, arena, data, N, grads DRAW);
    double sum = 0;
    for (int64_t i = 0; i < N*TARGET; i++) sum += (double)out[i];
    for (int64_t i = 0; i < BLOCK; i++) sum += (double)grads[i];
    if (!isfinite(sum) || !isfinite(loss) || !isfinite(same) || (loss != same && !MODES)) abort();
    free(params), free(grads), free(out), free(arena);
}

int main(void) {
    real *x = data_of(ROWS*(int64_t)INPUT), *y = data_of(ROWS*(int64_t)TARGET);
    for (int64_t i = 0; i < ROWS*(int64_t)INPUT; i++) x[i] = (real)noise();
    for (int64_t i = 0; i < ROWS*(int64_t)TARGET; i++) y[i] = i%TARGET == i/TARGET%TARGET;
    const real *const data[] = {x, y};
    job jobs[THREADS];
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) jobs[t] = (job){data, parameters(), t%2 ? 0xff : 0, 0, 0};
    for (int t = 0; t < THREADS; t++)
        if (pthread_create(&threads[t], NULL, train, &jobs[t])) abort();
    const int64_t some[] = {1, 2, BATCH, ROWS};
    for (size_t i = 0; i < sizeof some/sizeof *some; i++) once(data, some[i], i%2 ? 0xff : 0);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    for (int t = 1; t < THREADS; t++)
        if (memcmp(jobs[0].params, jobs[t].params, sizeof(real)*LENGTH)) return puts("the threads differ"), 1;
    printf("%.17g %.17g\n", jobs[0].first, jobs[0].last);
    for (int t = 0; t < THREADS; t++) free(jobs[t].params);
    free(x), free(y);
    return 0;
}
