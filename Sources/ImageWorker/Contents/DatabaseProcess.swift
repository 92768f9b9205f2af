import ForeignText
import Glibc
import ImageArchive
import ImageModel
import Processes
import RPMDatabases
import Synchronization
import SystemPackage

/// An error: this host cannot read contents. The reason is not the image.
public struct CannotReadContents: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason as a sentence.
    public let description: String
}

/// A *database process* reads one rpmdb. It is a process of its own, because librpm and SQLite read the
/// bytes of a stranger: without network, within limits, and as an account without rights if this
/// process is root. It ends when this process ends.
struct DatabaseProcess: Sendable {
    private static let beginning = Array("\(RPMDatabaseAnswer.beginning)\n".utf8)

    /// The program `odcs-rpmdb`.
    let program: FilePath
    let account: Account?
    let limits: ContentsLimits

    /// Reads the rpmdb in a directory that the account owns.
    func read(_ database: RPMDatabase) async throws -> Contents.State {
        let backend: RPMDatabaseReader.Backend
        switch database.format {
        case .sqlite: backend = .sqlite
        case .berkeley: backend = .berkeley
        case .ndb: return .unknown("The rpmdb has the format ndb of SUSE, which is not read here.")
        }
        let arguments = [database.directory.string, backend.rawValue, "\(limits.seconds)", "\(limits.megabytes)"]
        let command = account.map { ["setpriv"] + $0.prefix(for: program) } ?? [program.string]
        let process = ChildProcess(
            program: command[0], arguments: Array(command.dropFirst()) + arguments,
            environment: ChildProcess.plainEnvironment(home: database.directory), directory: database.directory, timeLimit: limits.time,
            lifeline: Lifeline())
        let output = BoundedOutput(most: BoundedJSON.mostBytes)
        let ending: ChildProcess.Ending
        do {
            ending = try await process.run { output.append($0) }
        } catch is ChildProcess.CannotStart {
            throw CannotReadContents(description: "unshare(1), which reads contents apart from this service, cannot be started.")
        }
        return try answer(output.bytes, ending)
    }

    private func answer(_ output: [UInt8]?, _ ending: ChildProcess.Ending) throws -> Contents.State {
        guard let output else { return .unknown("The rpmdb has more packages than are read here.") }
        guard output.starts(with: Self.beginning) else {
            let text = String(decoding: output.prefix(300), as: UTF8.self).printable()
            throw CannotReadContents(description: "The process that reads contents \(ending.inWords) before it began: \(text)")
        }
        guard ending == .exited(0) else { return .unknown("The process that reads the rpmdb \(ending.inWords).") }
        switch RPMDatabaseAnswer(Array(output.dropFirst(Self.beginning.count))) {
        case .packages(let packages): return .read(packages.map(InstalledPackage.init))
        case .problem(let problem): return .unknown(problem)
        case nil: return .unknown("The process that reads the rpmdb gave no whole answer.")
        }
    }
}

extension InstalledPackage {
    fileprivate init(_ package: DatabasePackage) {
        self.init(
            name: package.name, evr: EVR(epoch: package.epoch, version: package.version, release: package.release), arch: package.arch,
            source: package.source, modularityLabel: package.modularityLabel)
    }
}

/// The output of a process up to a number of bytes.
private final class BoundedOutput: Sendable {
    private let state = Mutex<[UInt8]?>([])
    private let most: Int

    init(most: Int) { self.most = most }

    /// Nil if there was more.
    var bytes: [UInt8]? { state.withLock { $0 } }

    func append(_ bytes: [UInt8]) {
        state.withLock { state in
            guard let count = state?.count, count + bytes.count <= most else {
                state = nil
                return
            }
            state?.append(contentsOf: bytes)
        }
    }
}
