import Glibc
import RPMDatabases
import SystemPackage

/// The program `odcs-rpmdb`, which a worker calls and a person does not. It reads the rpmdb of a
/// stranger's image in a process that has no rights, and prints an ``RPMDatabaseAnswer``.
///
///     odcs-rpmdb DIRECTORY sqlite|bdb_ro SECONDS MEGABYTES
///
/// It is a program of its own so that it starts quickly. Foundation alone would double that time.
@main
enum DatabaseProgram {
    /// The status for wrong arguments, EX_USAGE of sysexits.h.
    private static let wrongUsage: CInt = 64

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let backend = RPMDatabaseReader.Backend(rawValue: arguments[2]), let seconds = Int(arguments[3]),
            let megabytes = Int(arguments[4])
        else { exit(wrongUsage) }
        // librpm writes to it what the answer says too.
        let nothing = try FileDescriptor.open("/dev/null", .writeOnly)
        _ = try nothing.duplicate(as: .standardError)
        try Confinement(seconds: seconds, memory: megabytes << 20).enter()
        // From here on, a failure is one of the image. The worker looks for this line.
        _ = try FileDescriptor.standardOutput.writeAll("\(RPMDatabaseAnswer.beginning)\n".utf8)
        let answer: RPMDatabaseAnswer
        do throws(RPMDatabaseReader.Problem) {
            answer = .packages(try RPMDatabaseReader(FilePath(arguments[1]), backend).packages())
        } catch {
            answer = .problem(error.description)
        }
        _ = try FileDescriptor.standardOutput.writeAll(answer.bytes)
    }
}
