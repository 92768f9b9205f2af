public import Compression
import Foundation
import Glibc
import Synchronization
public import SystemPackage

/// A store of values by key. It keeps them permanently in a directory that any number of processes
/// share.
///
/// Each addition creates a new file (``Segment``) that appears complete. So processes never wait for
/// each other, and no file changes after it has appeared. When several files of similar size exist, the
/// next addition merges them into one. Their number therefore grows with the logarithm of the stored
/// data.
///
/// A value that was damaged on disk counts as missing. When it is added again, the newer copy is found
/// first. All methods block.
public final class SegmentStore: Sendable {
    /// The number of segments of one order of magnitude that trigger a merge.
    private static let mergedAtOnce = 8
    /// The size in bytes from which a segment is no longer merged.
    private static let largestMerged = 1 << 30
    private static let suffix = ".segment"
    /// The age in seconds after which a temporary file counts as abandoned. A process that died left it.
    private static let abandonedAfter = 24.0 * 3600

    private let directory: FilePath
    /// The newest segment comes first.
    private let segments: Mutex<[Segment]> = Mutex([])

    /// - Parameter directory: the directory of the store. The first addition creates it, with its parent
    ///   directories.
    public init(directory: FilePath) {
        self.directory = directory
    }

    /// Looks for segments that other processes have added or merged.
    public func refresh() throws(RepodataError) {
        let known = Dictionary(segments.withLock { $0 }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [Segment] = []
        for name in try names().sorted(by: >) where name.hasSuffix(Self.suffix) && !name.hasPrefix(".") {
            if let segment = known[name] {
                found.append(segment)
                continue
            }
            do throws(RepodataError) {
                if let segment = try Segment(opening: directory.appending(name)) { found.append(segment) }
            } catch {
                // Another process has merged it since the directory was read. At worst, a value is read again from its
                // origin.
                guard access(directory.appending(name).string, F_OK) != 0 else { throw error }
            }
        }
        segments.withLock { $0 = found }
    }

    /// Returns the value of `key`, or `nil` if it is missing or damaged.
    public func value(of key: Checksum) -> [UInt8]? {
        guard let key = PackageKey(key) else { return nil }
        for segment in segments.withLock({ $0 }) {
            if let value = segment.value(of: key) { return value }
        }
        return nil
    }

    /// Adds `values` to the store. Throws `.io` if they could not be written.
    public func add(_ values: [Checksum: [UInt8]]) throws(RepodataError) {
        let entries = values.compactMap { key, bytes in
            PackageKey(key).map {
                Segment.Entry(
                    key: $0, length: bytes.count, checksum: bytes.withUnsafeBytes { Segment.checksum($0) }, value: .bytes(bytes))
            }
        }
        if entries.isEmpty { return }
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw RepodataError(.io, "the store of package headers: its directory could not be created")
        }
        try Segment.write(entries, to: directory.appending(Self.freshName()))
        try refresh()
        try merge()
    }

    /// Returns a name for a new segment. Names sort by time, so the newest has the greatest name.
    private static func freshName() -> String {
        func digits(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return digits(UInt64(Date.now.timeIntervalSince1970 * 1e9)) + "-" + digits(.random(in: .min ... .max)) + suffix
    }

    private func merge() throws(RepodataError) {
        // One merge may make another one due. More than these are due only if no file can be removed.
        for _ in 0..<4 {
            let tiers = Dictionary(grouping: segments.withLock { $0 }.filter { $0.size < Self.largestMerged }) { segment in
                (Int.bitWidth - segment.size.leadingZeroBitCount) / 3
            }
            guard let tier = tiers.values.first(where: { $0.count >= Self.mergedAtOnce }) else { return }
            var kept: Set<PackageKey> = []
            var entries: [Segment.Entry] = []
            for segment in tier {
                for entry in segment.entries where kept.insert(entry.key).inserted { entries.append(entry) }
            }
            // If two processes do this at once, they write the same values twice. The next merge drops one copy.
            try Segment.write(entries, to: directory.appending(Self.freshName()))
            for segment in tier { unlink(directory.appending(segment.name).string) }
            removeAbandoned()
            try refresh()
        }
    }

    private func removeAbandoned() {
        // This is best effort. If the directory cannot be listed, reads and additions report it.
        for name in (try? names()) ?? [] where name.hasPrefix(".") && name.hasSuffix(".tmp") {
            let path = directory.appending(name).string
            // This is best effort, too. A file that cannot be inspected or removed now is tried again the next
            // time.
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                let written = attributes[.modificationDate] as? Date
            else { continue }
            if written.timeIntervalSinceNow < -Self.abandonedAfter { unlink(path) }
        }
    }

    private func names() throws(RepodataError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory.string)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            return []
        } catch {
            throw RepodataError(.io, "the store of package headers could not be read")
        }
    }
}
