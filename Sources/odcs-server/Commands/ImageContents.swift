import ArgumentParser
import Foundation
import Glibc
import ImageModel
import RPMDatabases
import SystemPackage

/// The command `odcs-server image-contents`, which a worker calls and a person does not. It reads the
/// rpmdb of a stranger's image in a process that has no rights, and prints an ``RPMDatabaseAnswer``.
struct ImageContents: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the rpmdb of an image, without network and within limits.", shouldDisplay: false)

    @Argument(help: "The directory of the rpmdb.")
    var directory: String

    @Option(help: "The implementation of librpm: sqlite or bdb_ro.")
    var backend = RPMDatabaseReader.Backend.sqlite.rawValue

    @Option(help: "The most seconds of processor time.")
    var seconds = 30

    @Option(help: "The most megabytes of address space.")
    var megabytes = 2048

    func run() throws {
        guard let backend = RPMDatabaseReader.Backend(rawValue: backend) else { throw ValidationError("--backend is sqlite or bdb_ro") }
        // librpm writes to it what the answer says too.
        let nothing = try SystemPackage.FileDescriptor.open("/dev/null", .writeOnly)
        guard dup2(nothing.rawValue, STDERR_FILENO) == STDERR_FILENO else { throw Errno(rawValue: errno) }
        try Confinement(seconds: seconds, memory: megabytes << 20).enter()
        // From here on, a failure is one of the image. The worker looks for this line.
        let line: StaticString = "confined\n"
        guard write(STDOUT_FILENO, line.utf8Start, line.utf8CodeUnitCount) == line.utf8CodeUnitCount else { throw ExitCode(1) }
        let answer: RPMDatabaseAnswer
        do throws(RPMDatabaseReader.Problem) {
            answer = .packages(try RPMDatabaseReader(FilePath(directory), backend).packages())
        } catch {
            answer = .problem(error.description)
        }
        FileHandle.standardOutput.write(try JSONEncoder().encode(answer))
    }
}
