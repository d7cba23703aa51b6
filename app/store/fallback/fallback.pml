/* Fall-back: Ceph first, S3 while Ceph is not there. A model of the nine rules for one key.
 *
 * All:    model.sh, beside this file, searches what model.runs lists (make model, make soak).
 * Run:    spin -DNOPS=2 -DTRIPS=1 -DRECS=1 -a fallback.pml
 *         gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m100000
 * Cycles: gcc -O2 -DNP -o pan pan.c && ./pan -m100000 -l
 * Trail:  spin -t -p -g <the same -D options> fallback.pml
 *
 * Model. Two instances; NOPS operations (PUT or GET, chosen freely), each through either instance,
 * each starting and pausing anywhere. DELETE is a PUT of a tombstone, so a PUT stands for both.
 * A Ceph write may time out and land later or never. An attempt in S3 may be answered, lose its
 * answer, or land after a second attempt or after the caller gave up. Ceph down is not a variable:
 * every step may be delayed for ever and a trip may come at any time, which allows more than
 * an up/down switch does. A lease is out at the latest when another instance has waited L for a newer
 * epoch; requests that end earlier get 503 or ErrUnknown. Reconcilers are not kept apart and
 * pause anywhere, before the removal too. World moves the mode (TRIPS trips at most).
 *
 * Checks (assertions): per-key linearizability, where a write whose caller already has an answer,
 * ErrUnknown included, comes before every write begun later; no answer under an epoch older than
 * one somebody serves; when nothing can move any more: mode primary, list empty, Ceph read back.
 *
 * The model holds seven clauses beyond the nine rules as first written; without one, it fails:
 *   BACKWARD  a write goes over a head of a later epoch than its own
 *   NOHELP    a read in reconciling answers from an area without bringing the object home first
 *   CEPHFIRST a read in reconciling asks Ceph before the areas
 *   RECNOWAIT the reconciler lists before L has passed since the mode moved
 *   TIE       objects of equal epoch and generation are ordered by nonce
 *   REAPPLY   a second attempt that finds another nonce writes again
 *   GCLITERAL (with GC) a tombstone goes as soon as no outcome is unknown, an area still listed
 * Broken rules: NOWAIT (NOMODE turns the mode check off), NOSECOND, UNGUARDED_S3, UNGUARDED_CEPH,
 *   UNGUARDED_COPY, DELREMOVE, FIRSTHIT, NOAREA (TRIPS=2). ORPHAN asks for empty areas at the end.
 *
 * Found (Spin 6.5.2). Complete searches, no error:
 *   NOPS=2 TRIPS=1 RECS=1: 1,941,322 states; no cycle at all (-DNP), so
 *   every run ends in primary. NOPS=2 TRIPS=2 RECS=1: 35,530,922. NOPS=3 TRIPS=1 RECS=1 in slices
 *   (PIN_OWN, PIN_TWO: under which epoch an operation starts; GETS: which are GETs): 3 PUTs in epochs 1, 2, 3:
 *   7,297,486; PUT 1, PUT 2, GET 3: 3,737,412; PUT, GET, PUT all in epoch 2: 16,628,424.
 *   NOPS=2 TRIPS=1 RECS=2: 36,313,242. NOPS=2 TRIPS=1 RECS=1 -DGC: 7,098,942. Those above 8 million
 *   and the slices used hash-compact (-DHC4), so they are complete up to hash collisions.
 * Cut short, no error: NOPS=3 TRIPS=1 RECS=1 whole, 160 million states (-DHC4);
 *   NOPS=4 TRIPS=2 RECS=2, 44 million (-DBITSTATE, random order). Not shown: more than that.
 * Each broken clause and rule named above, switched on alone, gives a counterexample:
 * with NOPS=2 TRIPS=1 RECS=1, NOAREA TRIPS=2, GCLITERAL (with GC) and TIE quicker with ONLYPUT;
 * NOPS=3: FIRSTHIT -DGETS=8, BACKWARD -DONLYPUT, both with PIN_OWN;
 * REAPPLY -DGETS=4 with PIN_TWO, RECS=0 (which reads the newest back from wherever it is; right: 682,086). ORPHAN too: a late attempt can leave an object in an area
 * that is off the list; nobody reads it, but it must be swept.
 */
#ifndef NOPS
#define NOPS 4                 /* client operations, started in the order of their numbers */
#endif
#ifndef TRIPS
#define TRIPS 2                /* primary->fallback or reconciling->fallback, at most */
#endif
#ifndef RECS
#define RECS 2                 /* reconcilers, not kept apart by any lease */
#endif
#define PRI 0
#define FAL 1
#define REC 2
#define BIT(x) (1 << (x))

/* -------- the two stores and the control record -------- */
byte ceph;                     /* head in Ceph: number of the write it holds, 0 = nothing */
byte area[2];                  /* the key's object in the area of the 1st and 2nd trip */
byte vE[NOPS+1], vG[NOPS+1];   /* version of a write: epoch, generation; its number is the nonce */
byte rE = 1, rM = PRI, rA;     /* control record: epoch, mode, areas not yet empty (bit mask) */
byte mo[8];                    /* mode of each epoch (1 = primary) */
byte trips;
/* -------- the two instances -------- */
byte know[2] = 1;              /* epoch under lease, 0 = lease out */
byte serv[2] = 1;              /* epoch served, 0 = none (waiting, or lease out) */
byte la[2];                    /* list of areas as last read */
/* -------- ghost variables of the checks -------- */
byte pred[NOPS+1];             /* writes that must come before this one (transitive) */
byte settled;                  /* writes acknowledged or seen by a finished read */
byte returned;                 /* writes whose caller has an answer, whatever it says */
byte acted = 1;                /* highest epoch that anybody has served */
byte started;
byte missC;                    /* GC, DELREMOVE: the delete that left nothing in Ceph */
byte inflight, unknown, copies;
bit  tomb[NOPS+1];
bit  flip;                     /* order of nonces: by number or reversed */

/* Slices of bigger models: under which epoch an operation starts. */
#if defined(PIN_OWN)
#define PIN(w, e) ((e) == (w)) /* under that of its own number only */
#elif defined(PIN_TWO)
#define PIN(w, e) ((e) == 2)
#else
#define PIN(w, e) true
#endif
#ifdef GETS                     /* bit mask: these operations are GETs, the others are not */
#define MAYGET(w) (((GETS) >> (w)) & 1)
#define MAYPUT(w) (!MAYGET(w))
#else
#define MAYGET(w) true
#define MAYPUT(w) true
#endif
#ifdef NOAREA
#define SLOT(e) 0
#else
#define SLOT(e) ((e) == 2 -> 0 : 1)
#endif
#ifdef TIE                     /* whole version ordered, nonce too */
#define TIEB(a,b) (flip -> (a) < (b) : (a) > (b))
#else
#define TIEB(a,b) false
#endif
#define NEWER(a,b) ((a) != 0 && (a) != (b) && ((b) == 0 || vE[a] > vE[b] || \
        (vE[a] == vE[b] && (vG[a] > vG[b] || (vG[a] == vG[b] && TIEB(a,b))))))

#ifdef RECNOWAIT
#define REC_MAY true
#else
#define REC_MAY (serv[0] == rE || serv[1] == rE)
#endif
#ifdef GCLITERAL
#define GC_MAY true
#else
#define GC_MAY (rM == PRI && rA == 0 && acted == rE && inflight == 0 && copies == 0)
#endif

/* u takes effect before x */
inline after_all(before, x) {
  z = 1;
  do
  :: z <= NOPS ->
     if
     :: ((before) & BIT(z)) && z != (x) ->
        assert(!(pred[z] & BIT(x)));                    /* LINEARIZABLE PER KEY */
        pred[x] = pred[x] | BIT(z) | pred[z];
        y = 1;
        do
        :: y <= NOPS -> if :: (pred[y] & BIT(x)) -> pred[y] = pred[y] | pred[x] :: else fi; y++
        :: else -> break
        od;
        y = 0
     :: else
     fi;
     z++
  :: else -> break
  od;
  z = 0
}
inline observe(before, x) {                             /* a read, begun when these had taken effect, gave x */
  if
  :: (x) == 0 -> assert((before) == 0)
  :: else -> after_all(before, x); settled = settled | BIT(x)
  fi
}
inline right_mode(e) {
#ifdef NOMODE
  skip
#else
  assert(acted <= e)                                    /* NO ANSWER UNDER A WRONG MODE */
#endif
}
inline ack(w) { settled = settled | BIT(w); returned = returned | BIT(w) }

inline move(m) {
  rE++; rM = m; mo[rE] = m;
  if :: m == FAL -> trips++; rA = rA | BIT(SLOT(rE)) :: else fi
}
inline learn(i) { rE > know[i] -> know[i] = rE; la[i] = rA; serv[i] = 0 }
inline serve(i) {                                       /* rule 2: the end of the wait of L */
  know[i] != 0 && serv[i] != know[i] ->
#ifndef NOWAIT
  if :: know[1-i] < know[i] -> know[1-i] = 0; serv[1-i] = 0; la[1-i] = 0 :: else fi;
#endif
  serv[i] = know[i];
  if :: acted < know[i] -> acted = know[i] :: else fi
}

proctype World() {
  byte y, z, z0;
  do
  :: atomic { rM != FAL && trips < TRIPS -> move(FAL) }
  :: atomic { rM == FAL -> move(REC) }
  :: atomic { learn(0) }
  :: atomic { learn(1) }
  :: atomic { serve(0) }
  :: atomic { serve(1) }
#ifdef GC
  :: atomic { ceph != 0 && tomb[ceph] && unknown == 0 && GC_MAY -> z = ceph }
     atomic { if :: ceph == z -> ceph = 0; missC = z :: else fi; z = 0 }
#endif
  :: atomic { timeout ->                                /* nothing else can happen any more */
#if RECS == 0                                           /* a slice: nobody brings anything home */
       z0 = (NEWER(area[0], ceph) -> area[0] : ceph);
       observe(settled, z0);
       break;
#endif
       assert(rM == PRI && rA == 0 && serv[0] == rE && serv[1] == rE);   /* PROGRESS */
#ifdef ORPHAN
       assert(area[0] == 0 && area[1] == 0);
#endif
       z0 = (ceph -> ceph : missC);
       observe(settled, z0);                            /* final read-back */
       break }
  od
}

/* step 2 of a write: one conditional attempt */
inline cas_ceph(w, base) {
  skip;
#ifdef UNGUARDED_CEPH
  if :: true -> ok = 1; ceph = w :: false fi
#else
  if :: ceph == base -> ok = 1;
#ifdef DELREMOVE
        if :: del -> ceph = 0; missC = w :: else -> ceph = w fi
#else
        ceph = w
#endif
     :: else -> ok = 0 fi
#endif
}
inline cas_area(w, base) {
  skip;
#ifdef UNGUARDED_S3
  ok = 1; area[s] = w
#else
  if :: area[s] == base -> ok = 1;
#ifdef DELREMOVE
        if :: del -> area[s] = 0 :: else -> area[s] = w fi
#else
        area[s] = w
#endif
     :: else -> ok = 0 fi
#endif
}

proctype Op(byte w) {
  byte i, e, s, base, v, m, set, lst, y, z;
  bit ok, late, del, un, cp;
  atomic {
    started == w - 1 && (serv[0] || serv[1]) -> started = w;
    if :: serv[0] -> i = 0 :: serv[1] -> i = 1 fi;
    e = serv[i]; inflight++;
    if :: PIN(w, e) :: else -> goto done fi;
    if
    :: MAYPUT(w) -> set = returned | settled; after_all(set, w); set = 0;
       if :: mo[e] == FAL -> goto putS3 :: else -> goto putCeph fi
#if defined(DELREMOVE) || defined(GC)
    :: true -> d_step { del = 1; tomb[w] = 1; after_all((returned|settled) & ~BIT(w), w) };
       if :: mo[e] == FAL -> goto putS3 :: else -> goto putCeph fi
#endif
#ifndef ONLYPUT
    :: MAYGET(w) -> set = settled                            /* a GET */
#endif
    fi
  }
/* ---------- GET ---------- */
  if
  :: atomic { mo[e] == PRI -> v = ceph; m = missC }
  :: atomic { mo[e] == FAL -> v = area[SLOT(e)]; if :: v == 0 -> goto done :: else fi }   /* 503 */
  :: atomic { mo[e] == REC ->
       if :: rE == e -> lst = rA :: true -> lst = la[i] fi;
#if defined(CEPHFIRST) || defined(FIRSTHIT)
       base = ceph; m = missC
#endif
     }
#ifdef FIRSTHIT
     if :: base != 0 -> v = base; goto second :: else fi;
#endif
     if :: atomic { (lst & 1) -> v = area[0] } :: else fi;
     if :: atomic { (lst & 2) -> if :: NEWER(area[1], v) -> v = area[1] :: else fi } :: else fi;
     atomic {
#ifndef CEPHFIRST
       base = ceph; m = missC;
#endif
       if
       :: NEWER(v, base) ->
#ifndef NOHELP
          copies++; cp = 1; goto help
#endif
       :: else -> v = base
       fi
     }
     goto second;
help: atomic {                                          /* bring it home first */
       if :: ceph == base -> ceph = v; copies--; cp = 0 :: else -> goto done fi }
  fi;
second:
  atomic {
#ifndef NOSECOND
    if :: serv[i] == e -> right_mode(e) :: else -> goto done fi;
#endif
#ifdef DELREMOVE
    if :: v == 0 -> goto done :: else fi;
#endif
    v = (v -> v : m);
    observe(set, v); goto done
  }
/* ---------- PUT and DELETE in Ceph ---------- */
putCeph:
  atomic { base = ceph;
#ifndef BACKWARD
    if :: base != 0 && vE[base] > e -> goto done :: else fi;
#endif
    vE[w] = e; vG[w] = (base -> vG[base] : 0) + 1 }
  if
  :: atomic { cas_ceph(w, base); if :: ok :: else -> goto done fi }
  :: atomic { true -> returned = returned | BIT(w); unknown++; un = 1 }   /* time-out: ErrUnknown, a ghost */
     if :: atomic { cas_ceph(w, base); goto done } :: goto done fi
  fi;
  atomic {
#ifndef NOSECOND
    if :: serv[i] == e -> right_mode(e); ack(w) :: else -> returned = returned | BIT(w) fi;
#else
    ack(w);
#endif
    goto done
  }
/* ---------- PUT and DELETE in the area of epoch e ---------- */
putS3:
  atomic { s = SLOT(e); base = area[s];
#ifdef DELREMOVE
    if :: del && base == 0 -> goto secondS3 :: else fi;
#endif
    vE[w] = e; vG[w] = (base -> vG[base] : 0) + 1 }
  if
  :: atomic { cas_area(w, base); if :: ok :: else -> goto done fi }       /* answered */
  :: atomic { true -> returned = returned | BIT(w); unknown++; un = 1; late = 1; goto lateS3 }
  :: if
     :: atomic { true -> late = 1 }                                       /* no answer, still under way */
     :: atomic { cas_area(w, base) }                                      /* done, answer lost */
     fi;
     atomic { cas_area(w, base);                                          /* second attempt */
       if
       :: ok
       :: else ->                                                         /* 412: read the nonce back */
          if
          :: area[s] == w
#ifdef REAPPLY
          :: else -> base = area[s]; vG[w] = vG[base] + 1; goto again
#else
          :: else -> returned = returned | BIT(w); unknown++; un = 1; goto lateS3
#endif
          fi
       fi }
  fi;
secondS3:
  atomic {
#ifndef NOSECOND
    if :: rE == e -> ack(w) :: else -> returned = returned | BIT(w) fi
#else
    ack(w)
#endif
  }
lateS3:
  if :: atomic { late -> cas_area(w, base) } :: skip fi;
  goto done;
#ifdef REAPPLY
again:
  atomic { cas_area(w, base); if :: ok -> goto secondS3 :: else -> goto done fi }
#endif
done:
  atomic { inflight--; unknown = unknown - un; copies = copies - cp;
    i=0; e=0; s=0; base=0; v=0; m=0; set=0; lst=0; ok=0; late=0; del=0; un=0; cp=0 }
}

proctype Reconciler() {
  byte e, lst, s, a, c;
end:
  do
  :: atomic { rM == REC && rA != 0 && REC_MAY -> e = rE; lst = rA; s = ((rA & 1) -> 0 : 1); copies++ }
     atomic { a = area[s] }
     if
     :: atomic { a == 0 ->                              /* empty: off the list; none left: primary */
          if :: rE == e && rA == lst -> rA = rA & ~BIT(s);
                if :: rA == 0 -> move(PRI) :: else fi
             :: else fi }
     :: else ->
look:   atomic { c = ceph }
        if
        :: atomic { NEWER(a, c) ->
#ifdef UNGUARDED_COPY
             ceph = a }
#else
             if :: ceph == c -> ceph = a :: else -> c = 0; goto look fi }
#endif
        :: else
        fi;
        atomic {
#ifdef GUARDED_REMOVAL
          if :: area[s] == a -> area[s] = 0 :: else fi
#else
          area[s] = 0                                   /* may come at any later time */
#endif
        }
     fi;
     atomic { e = 0; lst = 0; s = 0; a = 0; c = 0; copies-- }
  od
}

init {
  byte k = 1;
  atomic {
#ifdef TIE
    if :: flip = 0 :: flip = 1 fi;
#endif
    mo[1] = PRI;
    run World();
    do :: k <= RECS -> run Reconciler(); k++ :: else -> break od;
    k = 1;
    do :: k <= NOPS -> run Op(k); k++ :: else -> break od;
    k = 0
  }
}
