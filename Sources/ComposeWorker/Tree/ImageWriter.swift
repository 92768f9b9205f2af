import ComposeModel
import Foundation
import Glibc
import NIOPosix
import Repodata
import SystemPackage

/// An ISO image of a tree, as productmd's images.json describes it.
struct ComposeImage: Hashable, Sendable {
    let arch: String
    /// Below the directory `compose`.
    let path: String
    let volumeID: String
    let size: Int
    /// Seconds since 1970: the file's time, and that of everything in it.
    let timestamp: Int
    /// SHA-256.
    let checksum: Checksum
}

/// Makes ISO images of trees with xorriso.
///
/// The same tree with the same timestamp gives the same bytes: times are all that one, files are in the order of their names, and belong to root.
struct ImageWriter: Sendable {
    /// A path, or a name that is looked for in PATH.
    var program = "xorriso"
    let layout: ComposeLayout
    /// Seconds since 1970.
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
        // A repository's revision need not be a time: what ISO 9660 cannot hold is taken as none.
        self.timestamp = (0..<4_102_444_800).contains(timestamp) ? timestamp : 0
        self.log = log
        self.threadPool = threadPool
    }

    /// Makes `ARCH/iso/odcs-12-ARCH.iso` of `ARCH/os`, both below the variant's directory, and the checksum file beside it.
    ///
    /// Throws `.storage` when the disk is full, `.internal` when xorriso is absent or fails.
    func write(arch: String, in variant: FilePath) async throws -> ComposeImage {
        let name = "\(layout.directory)-\(arch).iso"
        let directory = variant.appending(arch).appending("iso")
        let image = directory.appending(name)
        let volumeID = volumeID(arch)
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw ComposeFailure(storage: error)
        }
        try await makeImage(of: variant.appending(arch).appending("os"), at: image, volumeID: volumeID)
        return try await threadPool.runIfActive { () throws(ComposeFailure) in
            do {
                var times = [timespec(tv_sec: timestamp, tv_nsec: 0), timespec(tv_sec: timestamp, tv_nsec: 0)]
                guard utimensat(AT_FDCWD, image.string, &times, 0) == 0 else { throw Errno(rawValue: errno) }
                let checksum = try FileChecksum.of(image, .sha256)
                try Data("\(checksum.hex)  \(name)\n".utf8).write(to: URL(filePath: directory.appending(Self.checksumFile).string))
                return ComposeImage(
                    arch: arch, path: "\(variant.lastComponent?.string ?? "")/\(arch)/iso/\(name)", volumeID: volumeID,
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
                // First: it keeps xorriso from reading configuration files of this host.
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
                    + "this worker. Its administrators can help.")
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

    /// `odcs-x86_64-20251121`, of the characters that every system shows and not more of them than ISO 9660 allows; without the compose's number,
    /// which would make images differ whose trees are equal.
    private func volumeID(_ arch: String) -> String {
        let date = Date(timeIntervalSince1970: TimeInterval(timestamp)).formatted(.iso8601.year().month().day().dateSeparator(.omitted))
        let allowed = "odcs-\(arch)".map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" }
        return String(allowed.prefix(32 - date.count - 1)) + "-" + date
    }
}

extension ChildProcess.Ending {
    /// In words that follow the program's name.
    var inWords: String {
        switch self {
        case .exited(let code): "ended with the status \(code)"
        case .signaled(let signal): "was ended by the signal \(signal)"
        case .timeLimit: "took too long"
        }
    }
}
