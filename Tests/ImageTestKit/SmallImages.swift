import Foundation
import Glibc
import Subprocess
public import SystemPackage

/// Small images from programs of this host: dash, bash and a few of coreutils. About 5 MB.
///
/// They are no busybox, whose shell prefers its own applets to programs of the same name.
public enum SmallImages {
    /// A Containerfile for the context that ``makeContext(in:)`` makes.
    public static let containerfile = "FROM scratch\nCOPY root /\nENV PATH=/usr/bin\nCMD [\"/bin/sh\"]\n"

    private static let programs = [
        "dash", "bash", "cat", "dd", "env", "head", "id", "ls", "mkdir", "sleep", "stat", "touch", "uname", "wc",
    ]

    /// Makes a directory with the root file system of an image in `root`.
    public static func makeContext(in directory: FilePath) async throws {
        let files = FileManager.default
        let root = directory.appending("root")
        for name in ["usr/bin", "usr/lib", "usr/lib64", "etc", "tmp", "dev", "proc", "sys"] {
            try files.createDirectory(atPath: root.appending(name).string, withIntermediateDirectories: true)
        }
        for name in ["bin", "lib", "lib64"] {
            try files.createSymbolicLink(atPath: root.appending(name).string, withDestinationPath: "usr/\(name)")
        }
        try files.createSymbolicLink(atPath: root.appending("usr/bin/sh").string, withDestinationPath: "dash")
        // buildah leaves an empty file in the layer if the base has none.
        try Data().write(to: URL(filePath: root.appending("etc/hostname").string))
        for program in programs {
            let path = FilePath("/usr/bin").appending(program)
            for file in try await [path] + libraries(of: path) {
                let target = root.appending(file.components)
                try files.createDirectory(atPath: target.removingLastComponent().string, withIntermediateDirectories: true)
                guard !files.fileExists(atPath: target.string) else { continue }
                try files.copyItem(atPath: URL(filePath: file.string).resolvingSymlinksInPath().path, toPath: target.string)
                chmod(target.string, 0o755)
            }
        }
    }

    private static func libraries(of program: FilePath) async throws -> [FilePath] {
        let result = try await run(.name("ldd"), arguments: [program.string], output: .string(limit: 1 << 20))
        return result.standardOutput.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("/") }.map { FilePath(String($0)) }
    }
}
