import Foundation
import Processes
import SystemPackage
import Testing

@testable import BuildNodes

@Suite("What the host says about accounts and control groups")
struct HostFileTests {
    @Test("the subordinate numbers of an account are added, under its name and its number")
    func numbers() throws {
        let account = try #require(Account.current)
        let numbers = SubordinateNumbers(text: "other:100000:65536\n\(account.name):165536:65536\n\(account.user):300000:10\nbad line\n")
        #expect(numbers.count(for: account) == 65546)
        #expect(numbers.firstFree == 300010)
        #expect(SubordinateNumbers(text: "").firstFree == 100_000)
    }

    @Test("an account that does not exist is explained with the command that creates it", .enabled(if: Account.current?.user == 0))
    func account() {
        let failure = #expect(throws: NodeFailure.self) { try BuildAccount(named: "odcs-absent") }
        #expect(
            failure?.sentence
                == "There is no account odcs-absent for builds. Create it: useradd --system --create-home --home-dir /var/lib/odcs-absent "
                + "--shell /usr/sbin/nologin --add-subids-for-system odcs-absent")
        #expect(throws: NodeFailure.self) { try BuildAccount(named: "root") }
    }

    @Test("a missing program is explained with its package")
    func program() {
        #expect(BuildHost.failureOfSSH() == nil)
        #expect(
            BuildHost.failureOfSSH(in: "/absent")?.sentence
                == "ssh is not installed, which nodes over ssh need. Install the package openssh-client (Debian) or openssh-clients (Fedora)."
        )
        let programs = RequiredProgram.missing(in: "/absent")
        #expect(programs == RequiredProgram.local)
        #expect(
            programs.first?.failure.sentence
                == "buildah is not installed, which builds of images need. Install the package buildah (Debian) or buildah (Fedora).")
    }

    @Test("a control group of version 1 is below that of its controller, and one of version 2 below its service")
    func controlGroups() throws {
        let files = FileManager.default
        let root = FilePath(files.temporaryDirectory.path).appending("odcs-groups-\(UUID().uuidString)")
        defer { try? files.removeItem(atPath: root.string) }
        for path in ["memory/here", "two/a.service/server"] {
            try files.createDirectory(atPath: root.appending(path).string, withIntermediateDirectories: true)
        }
        try "cpu memory\n".write(toFile: root.appending("two/a.service/cgroup.subtree_control").string, atomically: true, encoding: .utf8)
        let host = ControlGroupHost(
            memberships: "4:memory:/here\n0::/a.service/server\n",
            mounts: "cgroup \(root)/memory cgroup rw,memory 0 0\ncgroup2 \(root)/two cgroup2 rw 0 0\n")
        let memory = try #require(host.parent(of: "memory"))
        #expect(memory.directory == root.appending("memory/here"))
        #expect(memory.version == .one)
        let processors = try #require(host.parent(of: "cpu"))
        #expect(processors.directory == root.appending("two/a.service"))
        #expect(processors.version == .two)
    }

    @Test("a control group is removed with the groups that a killed runc has left below it, and stays while one is in use")
    func leftControlGroups() throws {
        let files = FileManager.default
        let group = FilePath(files.temporaryDirectory.path).appending("odcs-group-\(UUID().uuidString)")
        defer { try? files.removeItem(atPath: group.string) }
        for name in ["build", "buildah-buildah5/below"] {
            try files.createDirectory(atPath: group.appending(name).string, withIntermediateDirectories: true)
        }
        // A directory with a file cannot be removed, like a group with a process.
        let process = group.appending("build/process").string
        try "".write(toFile: process, atomically: true, encoding: .utf8)
        #expect(!ControlGroup.remove(group))
        #expect(try files.contentsOfDirectory(atPath: group.string) == ["build"])
        try files.removeItem(atPath: process)
        #expect(ControlGroup.remove(group))
        #expect(!files.fileExists(atPath: group.string))
        #expect(ControlGroup.remove(group))
    }
}
