/* disk.c -- see disk.h. */
#include "disk.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

enum {
	DISKS_MAX = 16,
	NAMES_MAX = 4,       /* the file, its journal, its log */
	FILE_MAX = 32 << 20, /* bytes */
	SECTOR = 512,        /* a power cut keeps or loses so much at once */
	REGIONS_MAX = 64,
	PATH_SIZE = 512,
};

/* What has been asked for since the last sync. */
enum change_what { CHANGE_MAKE, CHANGE_WRITE, CHANGE_TRUNCATE, CHANGE_DELETE };

struct change {
	enum change_what what;
	size_t at, len;
	struct change *next;
	uint8_t bytes[];
};

struct content {
	bool exists;
	uint8_t *at;
	size_t len, cap;
};

struct named {
	char suffix[16];             /* after the disk's path; the first is "" */
	struct content now, durable; /* as it is read; as it is after any power cut */
	struct change *first, **last;
	void *regions[REGIONS_MAX]; /* shared memory: gone with the process */
};

struct disk {
	char path[PATH_SIZE];
	struct disk_fate fate;
	struct named files[NAMES_MAX];
	size_t n_files;
	bool armed, dead;
	struct disk_counts counts;
};

struct handle {
	sqlite3_file base;
	struct disk *disk;
	struct named *file;
	bool syncs_names; /* with its first sync the folder is synced too */
};

static struct disk *disks[DISKS_MAX];

/* ---- content --------------------------------------------------------------------------------- */

static bool content_size(struct content *c, size_t len)
{
	if (len > FILE_MAX)
		return false;
	if (len > c->cap) {
		const size_t cap = len < 65536 ? 65536 : len * 2;
		uint8_t *more = realloc(c->at, cap);

		if (!more)
			return false;
		c->at = more;
		c->cap = cap;
	}
	if (len > c->len)
		memset(c->at + c->len, 0, len - c->len);
	c->len = len;
	return true;
}

static bool content_write(struct content *c, size_t at, const uint8_t *bytes, size_t len)
{
	if (at > FILE_MAX || len > FILE_MAX || (at + len > c->len && !content_size(c, at + len)))
		return false;
	memcpy(c->at + at, bytes, len);
	return true;
}

static bool content_apply(struct content *c, const struct change *x)
{
	switch (x->what) {
	case CHANGE_MAKE:
	case CHANGE_DELETE:
		c->exists = x->what == CHANGE_MAKE;
		c->len = 0;
		return true;
	case CHANGE_WRITE:
		return content_write(c, x->at, x->bytes, x->len);
	case CHANGE_TRUNCATE:
		return content_size(c, x->at);
	}
	return false;
}

static bool content_copy(struct content *to, const struct content *from)
{
	to->exists = from->exists;
	to->len = 0;
	return !from->len || content_write(to, 0, from->at, from->len);
}

/* ---- files ----------------------------------------------------------------------------------- */

static struct named *file_find(struct disk *d, const char *suffix, bool add)
{
	struct named *f;

	for (size_t i = 0; i < d->n_files; i++)
		if (!strcmp(d->files[i].suffix, suffix))
			return &d->files[i];
	if (!add || d->n_files == NAMES_MAX || strlen(suffix) >= sizeof f->suffix)
		return NULL;
	f = &d->files[d->n_files++];
	memcpy(f->suffix, suffix, strlen(suffix) + 1);
	f->last = &f->first;
	return f;
}

static void file_forget_changes(struct named *f)
{
	for (struct change *x = f->first, *next; x; x = next) {
		next = x->next;
		free(x);
	}
	f->first = NULL;
	f->last = &f->first;
}

static void file_forget_regions(struct named *f)
{
	for (size_t i = 0; i < REGIONS_MAX; i++) {
		free(f->regions[i]);
		f->regions[i] = NULL;
	}
}

/* False: memory is out. */
static bool file_change(struct named *f, enum change_what what, size_t at, const void *bytes,
			size_t len)
{
	struct change *x = malloc(sizeof *x + len);

	if (!x)
		return false;
	*x = (struct change){what, at, len, NULL};
	if (len)
		memcpy(x->bytes, bytes, len);
	*f->last = x;
	f->last = &x->next;
	return content_apply(&f->now, x);
}

static bool file_sync(struct named *f)
{
	for (const struct change *x = f->first; x; x = x->next)
		if (!content_apply(&f->durable, x))
			return false;
	file_forget_changes(f);
	return true;
}

/* The folder is synced: files are there, or gone, whatever they hold. */
static bool names_sync(struct disk *d)
{
	for (size_t i = 0; i < d->n_files; i++) {
		struct named *f = &d->files[i];
		struct change *last = NULL, *next;

		for (struct change *x = f->first; x; x = x->next)
			if (x->what == CHANGE_MAKE || x->what == CHANGE_DELETE)
				last = x;
		for (struct change *x = f->first; last; x = next) {
			if (!content_apply(&f->durable, x))
				return false;
			next = f->first = x->next;
			last = x == last ? NULL : last;
			free(x);
		}
		f->last = f->first ? f->last : &f->first;
	}
	return true;
}

static bool step(struct disk *d)
{
	if (d->armed && !d->dead && d->fate.step(d->fate.ctx))
		d->dead = true;
	return d->dead;
}

/* ---- the power cut --------------------------------------------------------------------------- */

/* Sector by sector: one may be on the disk while an earlier one is not. */
static void survive_write(struct disk *d, struct named *f, const struct change *x, bool *part)
{
	for (size_t at = x->at, end = x->at + x->len; at < end;) {
		const size_t stop = at / SECTOR * SECTOR + SECTOR, to = stop < end ? stop : end;

		if (d->fate.dice(d->fate.ctx, 2))
			(void)content_write(&f->durable, at, x->bytes + (at - x->at), to - at);
		else
			*part = true;
		at = to;
	}
}

/* What follows a file that was made or removed is about another file than what is on the disk. */
static void survive(struct disk *d, struct named *f, bool *part)
{
	for (const struct change *x = f->first; x; x = x->next) {
		if (x->what == CHANGE_WRITE) {
			survive_write(d, f, x, part);
		} else if (d->fate.dice(d->fate.ctx, 2)) {
			(void)content_apply(&f->durable, x);
		} else {
			*part = true;
			if (x->what != CHANGE_TRUNCATE)
				return;
		}
	}
}

void disk_restart(struct disk *d)
{
	const unsigned loss = d->fate.dice(d->fate.ctx, 4); /* 0: all, 1: nothing, else a part */
	bool lost = false, part = false;

	for (size_t i = 0; i < d->n_files; i++) {
		struct named *f = &d->files[i];

		lost |= loss == 0 && f->first;
		if (loss == 1)
			(void)file_sync(f);
		else if (loss)
			survive(d, f, &part);
		file_forget_changes(f);
		file_forget_regions(f);
		(void)content_copy(&f->now, &f->durable);
	}
	d->counts.cuts++;
	d->counts.lost += lost || part;
	d->counts.torn += part;
	d->dead = false;
}

/* ---- a file's methods ------------------------------------------------------------------------ */

static int on_close(sqlite3_file *base)
{
	(void)base; /* the file is the disk's */
	return SQLITE_OK;
}

static int on_read(sqlite3_file *base, void *to, int n, sqlite3_int64 at)
{
	const struct handle *h = (struct handle *)base;
	const struct content *c = &h->file->now;
	const size_t from = (size_t)at, want = (size_t)n;
	const size_t have = from >= c->len ? 0 : c->len - from < want ? c->len - from : want;

	if (h->disk->dead)
		return SQLITE_IOERR_READ;
	if (have)
		memcpy(to, c->at + from, have);
	memset((uint8_t *)to + have, 0, want - have);
	return have == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *base, const void *bytes, int n, sqlite3_int64 at)
{
	const struct handle *h = (struct handle *)base;

	if (h->disk->dead)
		return SQLITE_IOERR_WRITE;
	h->disk->counts.writes++;
	if (!file_change(h->file, CHANGE_WRITE, (size_t)at, bytes, (size_t)n))
		return SQLITE_FULL;
	return step(h->disk) ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int on_truncate(sqlite3_file *base, sqlite3_int64 to)
{
	const struct handle *h = (struct handle *)base;

	if (h->disk->dead)
		return SQLITE_IOERR_TRUNCATE;
	h->disk->counts.truncates++;
	if (!file_change(h->file, CHANGE_TRUNCATE, (size_t)to, NULL, 0))
		return SQLITE_FULL;
	return step(h->disk) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

/* Dies before it: whatever was to be synced is as unsure as before.  SQLite's own VFS for unix
 * syncs the folder with the first sync of a journal or log, and only then. */
static int on_sync(sqlite3_file *base, int flags)
{
	struct handle *h = (struct handle *)base;

	(void)flags;
	if (h->disk->dead || step(h->disk))
		return SQLITE_IOERR_FSYNC;
	h->disk->counts.syncs++;
	if (!file_sync(h->file) || (h->syncs_names && !names_sync(h->disk)))
		return SQLITE_FULL;
	h->syncs_names = false;
	return SQLITE_OK;
}

static int on_size(sqlite3_file *base, sqlite3_int64 *out)
{
	const struct handle *h = (struct handle *)base;

	*out = (sqlite3_int64)h->file->now.len;
	return h->disk->dead ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

/* One connection at a time: nobody to lock out. */
static int on_lock(sqlite3_file *base, int level)
{
	(void)level;
	return ((struct handle *)base)->disk->dead ? SQLITE_IOERR_LOCK : SQLITE_OK;
}

static int on_unlock(sqlite3_file *base, int level)
{
	(void)base;
	(void)level;
	return SQLITE_OK;
}

static int on_check_lock(sqlite3_file *base, int *out)
{
	(void)base;
	*out = 0;
	return SQLITE_OK;
}

static int on_control(sqlite3_file *base, int op, void *arg)
{
	(void)base;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

/* As SQLite's own VFS for unix tells of a disk. */
static int on_sector(sqlite3_file *base)
{
	(void)base;
	return 4096;
}

static int on_traits(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int on_shm_map(sqlite3_file *base, int i, int size, int extend, void volatile **out)
{
	const struct handle *h = (struct handle *)base;
	void **region = &h->file->regions[i];

	*out = NULL;
	if (h->disk->dead || i >= REGIONS_MAX)
		return SQLITE_IOERR_SHMMAP;
	if (!*region && extend)
		*region = calloc(1, (size_t)size);
	if (!*region && extend)
		return SQLITE_NOMEM;
	*out = *region;
	return SQLITE_OK;
}

static int on_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
	(void)base;
	(void)offset;
	(void)n;
	(void)flags;
	return SQLITE_OK;
}

static void on_shm_barrier(sqlite3_file *base)
{
	(void)base;
}

static int on_shm_unmap(sqlite3_file *base, int drop)
{
	(void)drop;
	file_forget_regions(((struct handle *)base)->file);
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

/* ---- the VFS --------------------------------------------------------------------------------- */

static struct disk *disk_of(const char *path, const char **suffix)
{
	for (size_t i = 0; path && i < DISKS_MAX; i++) {
		const size_t n = disks[i] ? strlen(disks[i]->path) : 0;

		if (!n || strncmp(path, disks[i]->path, n) || (path[n] && path[n] != '-'))
			continue;
		*suffix = path + n;
		return disks[i];
	}
	return NULL;
}

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out)
{
	struct handle *h = (struct handle *)base;
	const char *suffix = "";
	struct disk *d = disk_of(path, &suffix);

	(void)vfs;
	memset(h, 0, sizeof *h);
	h->disk = d;
	h->file = d && !d->dead ? file_find(d, suffix, true) : NULL;
	if (!h->file || (!h->file->now.exists && !(flags & SQLITE_OPEN_CREATE)))
		return SQLITE_CANTOPEN;
	if (!h->file->now.exists && !file_change(h->file, CHANGE_MAKE, 0, NULL, 0))
		return SQLITE_NOMEM;
	h->base.pMethods = &methods;
	h->syncs_names = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL);
	if (out)
		*out = flags;
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	const char *suffix = "";
	struct disk *d = disk_of(path, &suffix);
	struct named *f = d ? file_find(d, suffix, false) : NULL;

	(void)vfs;
	if (!d || d->dead)
		return SQLITE_IOERR_DELETE;
	if (!f || !f->now.exists)
		return SQLITE_IOERR_DELETE_NOENT;
	d->counts.deletes++;
	if (!file_change(f, CHANGE_DELETE, 0, NULL, 0))
		return SQLITE_NOMEM;
	if (step(d))
		return SQLITE_IOERR_DELETE;
	return !sync || names_sync(d) ? SQLITE_OK : SQLITE_FULL;
}

static int on_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	const char *suffix = "";
	struct disk *d = disk_of(path, &suffix);
	const struct named *f = d ? file_find(d, suffix, false) : NULL;

	(void)vfs;
	(void)flags;
	*out = f && f->now.exists;
	return d && d->dead ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

static int on_full_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
	(void)vfs;
	sqlite3_snprintf(size, out, "%s", path);
	return SQLITE_OK;
}

/* The same in every run: a seed is a history. */
static int on_random(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs;
	memset(out, 0x5e, (size_t)n);
	return n;
}

static int on_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static int on_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	(void)vfs;
	*out = 2460000 * INT64_C(86400000); /* Julian day, in ms */
	return SQLITE_OK;
}

int disk_register(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 2,
		.szOsFile = sizeof(struct handle),
		.mxPathname = PATH_SIZE,
		.zName = "disk",
		.xOpen = on_open,
		.xDelete = on_delete,
		.xAccess = on_access,
		.xFullPathname = on_full_path,
		.xRandomness = on_random,
		.xSleep = on_sleep,
		.xCurrentTimeInt64 = on_time,
	};

	return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK ? 0 : -ERR_DATABASE;
}

/* ---- disks ----------------------------------------------------------------------------------- */

struct disk *disk_new(const char *path, const struct disk_fate *fate)
{
	struct disk *d;
	size_t at = 0;

	while (at < DISKS_MAX && disks[at])
		at++;
	if (at == DISKS_MAX || strlen(path) >= sizeof d->path)
		return NULL;
	d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	memcpy(d->path, path, strlen(path) + 1);
	d->fate = *fate;
	disks[at] = d;
	return d;
}

void disk_free(struct disk *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < DISKS_MAX; i++)
		if (disks[i] == d)
			disks[i] = NULL;
	for (size_t i = 0; i < d->n_files; i++) {
		file_forget_changes(&d->files[i]);
		file_forget_regions(&d->files[i]);
		free(d->files[i].now.at);
		free(d->files[i].durable.at);
	}
	free(d);
}

void disk_arm(struct disk *d)
{
	d->armed = true;
}

void disk_kill(struct disk *d)
{
	d->dead = true;
}

bool disk_dead(const struct disk *d)
{
	return d->dead;
}

const struct disk_counts *disk_seen(const struct disk *d)
{
	return &d->counts;
}
