import ComposeModel
import Compression
import Foundation
import Glibc
import NIOPosix
import Processes
import SystemPackage

/// An ISO image of a tree, as productmd's images.json describes it.
struct ComposeImage: Hashable, Sendable {
    let arch: String
    /// The image's path below the directory `compose`. Example: `Temporary/x86_64/iso/odcs-12-x86_64.iso`.
    let path: String
    let volumeID: String
    let size: Int
    /// The time of the file and of everything in it, in seconds since 1970.
    let timestamp: Int
    /// The SHA-256 checksum of the image.
    let checksum: Checksum
}

/// An image writer makes ISO images of trees with xorriso.
///
/// The same tree with the same timestamp gives the same bytes. All times are the timestamp, the files
/// are sorted by name, and root owns them.
struct ImageWriter: Sendable {
    /// The path of xorriso, or a name that is searched for in PATH.
    var program = "xorriso"
    let layout: ComposeLayout
    /// The time of the images, in seconds since 1970.
    let timestamp: Int
    let log: ComposeLog
    let threadPool: NIOThreadPool

    /// The file beside an image that `sha256sum -c` reads.
    static let checksumFile = "SHA256SUM"

    init(
        program: String = "xorriso", layout: ComposeLayout, timestamp: Int, log: ComposeLog, threadPool: NIOThreadPool
    ) {
        self.program = program
        self.layout = layout
        // A repository's revision need not be a time. A number that ISO 9660 cannot hold as a time becomes 0.
        self.timestamp = (0..<4_102_444_800).contains(timestamp) ? timestamp : 0
        self.log = log
        self.threadPool = threadPool
    }

    /// Makes `ARCH/iso/odcs-12-ARCH.iso` from `ARCH/os`, both below the variant's directory. It also writes
    /// the checksum file beside the image.
    ///
    /// Throws `.storage` if files cannot be written, for example because the disk is full. Throws
    /// `.internal` if xorriso is absent or fails.
    func write(arch: String, in variant: FilePath) async throws -> ComposeImage {
        let name = "\(layout.directory)-\(arch).iso"
        let directory = variant.appending(TreeLayout.images(arch))
        let image = directory.appending(name)
        let volumeID = volumeID(arch)
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw ComposeFailure(storage: error)
        }
        try await makeImage(of: variant.appending(TreeLayout.path(.os, arch)), at: image, volumeID: volumeID)
        return try await threadPool.runIfActive { () throws(ComposeFailure) in
            do {
                var times = [timespec(tv_sec: timestamp, tv_nsec: 0), timespec(tv_sec: timestamp, tv_nsec: 0)]
                guard utimensat(AT_FDCWD, image.string, &times, 0) == 0 else { throw Errno(rawValue: errno) }
                let checksum = try FileChecksum.of(image, .sha256)
                try Data("\(checksum.hex)  \(name)\n".utf8).write(to: URL(filePath: directory.appending(Self.checksumFile).string))
                return ComposeImage(
                    arch: arch, path: "\(variant.lastComponent?.string ?? "")/\(TreeLayout.images(arch))/\(name)", volumeID: volumeID,
                    size: Int(try image.stat().size), timestamp: timestamp, checksum: checksum)
            } catch {
                throw ComposeFailure(storage: error)
            }
        }
    }

    private func makeImage(of tree: FilePath, at image: FilePath, volumeID: String) async throws {
        let time = Date(timeIntervalSince1970: TimeInterval(timestamp))
        let stamp = time.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: false)
                .dateSeparator(.omitted).timeSeparator(.omitted)
        ).filter(\.isNumber)
        let child = ChildProcess(
            program: program,
            arguments: [
                // `-no_rc` must be first. It keeps xorriso from reading configuration files of this host.
                "-no_rc", "-as", "mkisofs", "-quiet", "-volid", volumeID, "-rational-rock", "-joliet", "-joliet-long",
                "--modification-date=\(stamp)00", "--set_all_file_dates", "=\(timestamp)", "-o", image.string, tree.string,
            ],
            environment: ChildProcess.plainEnvironment(home: image.removingLastComponent()).merging(["SOURCE_DATE_EPOCH": "\(timestamp)"]) {
                $1
            },
            directory: tree)
        let output = OutputTail(hiding: [(image.string, image.lastComponent?.string ?? ""), (tree.string, "os")])
        let ending: ChildProcess.Ending
        do {
            ending = try await child.run { output.append($0) }
        } catch let error as ChildProcess.CannotStart {
            throw ComposeFailure(
                .internal,
                "An ISO image was asked for, and the program that makes it, xorriso, \(error.isAbsent ? "is not installed on" : "cannot be started by") "
                    + "this worker. Its operator can help.")
        }
        output.finish()
        guard ending != .exited(0) else { return }
        let lines = output.lastLines(20)
        for line in lines { log.write(.error, "xorriso: \(line)") }
        let full = ["No space left on device", "Disk quota exceeded", "exceeds free space on media"]
        if lines.contains(where: { line in full.contains { line.contains($0) } }) {
            throw ComposeFailure(storage: Errno.noSpace)
        }
        let complaint = lines.last { $0.contains("FAILURE") || $0.contains("FATAL") || $0.contains("SORRY") } ?? lines.last
        throw ComposeFailure(
            .internal,
            "The ISO image \(image.lastComponent?.string ?? "") could not be made: xorriso \(ending.inWords)\(complaint.map { ", and said: \($0)" } ?? "")."
        )
    }

    /// Returns the volume id of an architecture's image. Example: `odcs-x86_64-20251121`.
    ///
    /// The id has only characters that every system shows, and no more of them than ISO 9660 allows. It
    /// does not contain the compose's number, because then the images of equal trees would differ.
    private func volumeID(_ arch: String) -> String {
        let date = Date(timeIntervalSince1970: TimeInterval(timestamp)).formatted(.iso8601.year().month().day().dateSeparator(.omitted))
        let allowed = "odcs-\(arch)".map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" }
        return String(allowed.prefix(32 - date.count - 1)) + "-" + date
    }
}
