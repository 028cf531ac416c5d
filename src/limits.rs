//! Every bound of the program in one table, each with its reason.
//!
//! Reaching a bound is never silent: it ends in a [`crate::warning::Warning`]
//! with a count, or in an error that names the bound.

/// Bytes of one log line that are parsed. HTTP.sys takes 16 KiB of request
/// line and headers by default (`MaxRequestBytes`); this is 64 times that.
/// Of a longer line the first part is a record, the rest is skipped.
pub const LINE_BYTES: usize = 1 << 20;

/// Columns of one layout. IIS 10 can log some forty fields; custom fields
/// add to them. A line with more columns than its layout is rejected anyway.
pub const COLUMNS: usize = 1 << 16;

/// Layouts of a host's logs that are told apart.
pub const LAYOUTS: usize = 256;

/// Bytes of a file looked at to tell its dialect.
pub const SNIFF_BYTES: usize = 64 << 10;

/// Rejected lines of one exhibit that are listed one by one in the case; the
/// others are counted by reason.
pub const LISTED_REJECTS: usize = 100;

/// Evidence lines kept for each finding: worst and earliest first.
pub const EVIDENCE_PER_FINDING: usize = 5;

/// Bytes of an evidence line kept in the case; enough for any default
/// request, short enough that a million hits stay readable.
pub const EVIDENCE_LINE_BYTES: usize = 4 << 10;

/// Hits of one rule in one exhibit that are written to `hits.jsonl`; further
/// ones are counted in the findings only.
pub const HITS_PER_RULE_AND_EXHIBIT: u64 = 10_000;

/// Records from which on two exhibits of the same bytes are copies, whatever
/// hosts they are said to be of. Fewer lines, a worm's, two servers may have
/// logged in the same second; so many, with their times, they did not.
pub const RECORDS_OF_A_COPY: u64 = 50;

/// Marks kept of a log, one for each hour: as many as a year has, and some.
pub const MARKS: usize = 10_000;

/// Hits of one exhibit that are looked for in the log of URLScan.
pub const TRACES: usize = 1_000_000;

/// Lines of logs that are compared at once, to find what stands in two of
/// them: 24 bytes and then 40 for each. A longer log is not compared.
pub const LINES_COMPARED: u64 = 8_000_000;

/// Depth of a folder walk, against endless trees.
pub const WALK_DEPTH: usize = 64;

/// Decompressed bytes read from one exhibit before it is cut: streamed, so
/// this bounds time, not memory.
pub const DECOMPRESSED_BYTES: u64 = 64 << 30;

/// Decompressed bytes after which a packed exhibit is asked each time
/// whether more came out than its packed bytes can be worth: so many that
/// what a decoder takes ahead does not matter.
pub const DECOMPRESSED_STEP: u64 = 16 << 20;

/// Members of an archive and those in it; the rest is told, not read. Four
/// sites that log by the hour fill as many in six years, and each member is a
/// row of the case.
pub const MEMBERS: usize = 200_000;

/// Bytes of the names of all these members.
pub const MEMBER_NAMES: u64 = 32 << 20;

/// Bytes of a name, or of the attributes, that stand before a member of a
/// tar. No system takes paths of more than 32 KiB of two bytes; attributes
/// are lists of rights and labels of some KiB.
pub const TAR_HEADERS: u64 = 1 << 20;

/// Blocks of the map of a file with holes in a tar, of 21 pieces each. A log
/// has no holes but those of a crash; so many are a map of 1 MiB.
pub const TAR_MAP_BLOCKS: u64 = 2_000;

/// Bytes of the directory of an archive: room for as many members.
pub const DIRECTORY_BYTES: u64 = 64 << 20;

/// Bytes that may come out of packed bytes, by their own: the most that
/// deflate can do, and more than logs ever shrink (one and the same request
/// again and again, to one in two hundred).
pub const UNPACKED_RATIO: u64 = 1_000;

/// What may come out beyond that: all of a small file, and of a large one a
/// stretch of a flood, when thousands of lines are the same. Blank lines,
/// the slowest to read, are so many in five seconds.
pub const UNPACKED_LEAST: u64 = 1 << 30;

/// A zip or 7z inside another archive, or on standard input, is read into
/// memory up to this size, because its directory stands at its end.
pub const HELD_ARCHIVE: u64 = 64 << 20;

/// Bytes that a decoder of LZMA in a 7z looks back on: 7-Zip's highest level
/// asks for 64 MiB, its later versions for up to 256 MiB. What looks back
/// further than this is read up to there.
pub const LZMA_WINDOW: u32 = 192 << 20;

/// Memory that an archive and those in it may take at once for dictionaries
/// and for what is held whole: the above, and a little for the decoders
/// themselves, so that the program as a whole stays below 256 MiB.
pub const ARCHIVE_MEMORY: u64 = 200 << 20;

/// Rounds of the hash that makes 7-Zip's key of a password, as a power of
/// two: 7-Zip writes 19 and reads no more than this.
pub const KEY_ROUNDS: u8 = 24;

/// Archives inside archives that are opened.
pub const ARCHIVE_DEPTH: usize = 8;

/// Memory that a decoder of xz or Zstandard may ask for: what their
/// packers use at the highest level, and not what a crafted header says.
pub const DECODER_WINDOW_LOG: u32 = 27;

/// The same in KiB, not as a power of two.
pub const DECODER_WINDOW_KIB: u32 = 1 << (DECODER_WINDOW_LOG - 10);

/// Rounds of percent and overlong decoding. Worms used two; a third round
/// catches one more wrapping. Output never grows, so cost is linear.
pub const DECODE_ROUNDS: usize = 3;

/// Bytes of one rule file.
pub const RULE_FILE_BYTES: u64 = 1 << 20;

/// Nesting of a YAML document.
pub const YAML_NESTING: usize = 32;

/// Items of one YAML list or map.
pub const YAML_ITEMS: usize = 10_000;

/// Nesting of a Sigma condition, against stack exhaustion.
pub const CONDITION_NESTING: usize = 64;

/// Compiled size of one regular expression.
pub const REGEX_BYTES: usize = 10 << 20;

/// Rules in one set.
pub const RULES: usize = 100_000;

/// Seconds that the lines of one correlation may lie apart: a backdoor is
/// used weeks after it was left.
pub const TIMESPAN: u32 = 90 * 86_400;

/// The greatest count that a correlation may ask for.
pub const CORRELATED: u64 = 10_000;

/// Events of a correlation, in one group and on one day, that are kept at
/// least; where it asks for more, twice as many as it asks for.
pub const EVENTS_PER_SHEET: usize = 256;

/// Events of all correlations of a case: some 200 bytes each.
pub const EVENTS: usize = 500_000;

/// Groups of events in one exhibit, before those that are too few are
/// dropped: so many clients that a day's log of a large site fits.
pub const GROUPS: usize = 1_000_000;

/// Bytes of a line kept with an event of a correlation.
pub const EVENT_LINE_BYTES: usize = 512;

/// Lines that the hit of a correlation cites; the others are counted.
pub const CITED: usize = 100;

/// Bytes of a file that is read at once rather than mapped, where there are
/// many: as much as one thread has of memory for it.
pub const SMALL_FILE: u64 = 1 << 20;

/// Files of up to so many bytes are always read whole: half a megabyte less
/// would not be felt.
pub const ENDS_FILE_BYTES: usize = 2 << 20;

/// Bytes read at each end of a larger file where both ends are to tell what
/// it covers: some thousand lines, and more than the 64 KiB of NUL bytes
/// that IIS reserves ahead.
pub const END_BYTES: usize = 256 << 10;

/// Layouts of one exhibit that an inventory lists: people change theirs a
/// few times in years.
pub const LISTED_LAYOUTS: usize = 100;

/// Bytes of a host map: a line for each of a hundred thousand servers.
pub const HOST_MAP_BYTES: u64 = 16 << 20;

/// Bytes of an `applicationHost.config`: one with ten thousand sites has
/// about as many.
pub const SITE_CONFIG_BYTES: u64 = 16 << 20;

/// Elements, texts and attributes of one, each of which costs memory.
pub const SITE_CONFIG_NODES: u32 = 1 << 19;

/// Bytes of a list of exploited faults; CISA's had 1.5 MB in 2026.
pub const KEV_BYTES: u64 = 64 << 20;

/// Cells of one that is a table: forty times what CISA's had in 2026. Each
/// costs memory.
pub const KEV_CELLS: usize = 1 << 20;
