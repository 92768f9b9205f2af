import Foundation
import Glibc
import ImageModel
import ImageTestKit
import Processes
import SystemPackage
import Testing

@testable import BuildNodes

@Suite("The local node", .serialized, .timeLimit(.minutes(5)))
struct LocalNodeTests {
    @Test("an ordinary user builds an image whose files belong to root, and the registry has it under the returned digest")
    func build() async throws {
        try await BuildWorld.run { world in
            var specification = try world.specification(
                "ARG GREETING=none\nCOPY file /file\nRUN echo $GREETING >/made; id; cat /proc/self/uid_map")
            specification.context = try world.makeDirectory("context", files: ["file": "text"])
            specification.arguments = ["GREETING": "hello"]
            specification.labels = ["org.example.label": "with = and blank"]
            specification.timestamp = 0
            let log = try await world.build(specification)
            #expect(log.contains { $0.hasPrefix("uid=0 gid=0") })
            // Root of the image is the build account, and the other users are its subordinate numbers.
            let map = try #require(log.first { $0.split(separator: " ").first == "0" }).split(separator: " ")
            #expect(map[1] != "0")
            let target = try world.target("team/app:image-linux-amd64")
            let digest = try await world.node.push(specification.step, to: target) { _ in }
            let pinned = try ImageReference("\(target.repository)@\(digest)")
            #expect(try await Skopeo.inspect(pinned).contains("with = and blank"))
            let layers = try await world.layers(of: target)
            #expect(layers.count == 2)
            let owners = Set(layers.joined().map { $0.split(separator: " ", omittingEmptySubsequences: true)[1] })
            #expect(owners == ["0/0"])
            #expect(try #require(layers.last).contains { $0.hasSuffix(" made") && $0.contains("1970-01-01") })
            // Equal inputs make an equal image.
            _ = try await world.build(specification)
            #expect(try await world.node.push(specification.step, to: target) { _ in } == digest)
        }
    }

    @Test("each RUN sees the compose read-only, and no path of it stays in a layer")
    func compose() async throws {
        try await BuildWorld.run { world in
            let mounts =
                "--mount=type=bind,from=odcs,source=/,target=/run/odcs "
                + "--mount=type=bind,from=odcs,source=/odcs.repo,target=/etc/yum.repos.d/odcs.repo"
            var specification = try world.specification(
                "RUN \(mounts) cat /run/odcs/odcs.repo /etc/yum.repos.d/odcs.repo; (echo x >/run/odcs/new) || echo refused; touch /made")
            specification.namedContexts = ["odcs": try world.makeDirectory("compose", files: ["odcs.repo": "[fix]\n"])]
            let log = try await world.build(specification)
            #expect(log.filter { $0 == "[fix]" }.count == 2)
            #expect(log.contains("refused"))
            let target = try world.target("team/compose:1")
            _ = try await world.node.push(specification.step, to: target) { _ in }
            let last = try #require(try await world.layers(of: target).last)
            #expect(last.contains { $0.hasSuffix(" made") })
            #expect(!last.contains { $0.contains("odcs") })
        }
    }

    @Test("a RUN sees nothing of the host: no process, no name, no loopback, no device but the usual ones")
    func isolation() async throws {
        try await BuildWorld.run { world in
            let port = try #require(world.registry.host.port)
            let log = try await world.build(
                world.specification(
                    "RUN ls /proc | { n=0; while read -r p; do case $p in [0-9]*) n=$((n+1));; esac; done; echo processes $n; }; echo name $(uname -n); "
                        + "ls /dev | { while read -r d; do echo device $d; done; }; "
                        + "cat /proc/net/dev; cat /etc/hosts /etc/resolv.conf; env; "
                        + "(exec 3<>/dev/tcp/127.0.0.1/\(port)) || echo no loopback; bash -c 'exec 3<>/dev/tcp/127.0.0.1/\(port)' || echo no bash loopback"
                ))
            #expect(try #require(log.compactMap { $0.firstMatch(of: /^processes (\d+)$/) }.first.flatMap { Int($0.1) }) <= 5)
            #expect(log.contains("no bash loopback"))
            let devices = Set(log.filter { $0.hasPrefix("device ") }.map { $0.dropFirst("device ".count) })
            #expect(
                devices.isSubset(of: [
                    "console", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty",
                    "urandom", "zero",
                ]))
            var name = [CChar](repeating: 0, count: 256)
            gethostname(&name, name.count)
            let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            #expect(!log.contains("name \(host)"))
            #expect(!log.contains { $0.contains("XDG_RUNTIME_DIR") || $0.contains("CONTAINERS_CONF") })
            #expect(log.filter { $0.contains(": ") && $0.contains("lo:") }.count == 1)
        }
    }

    @Test("a RUN that fails names the instruction, the status and the last line")
    func instruction() async throws {
        try await BuildWorld.run { world in
            let failure = try await world.failure(
                of: world.specification("RUN echo begun\nRUN --mount=type=tmpfs,target=/x echo no such library >&2; exit 7"))
            #expect(failure.kind == .instruction)
            #expect(failure.sentence == "Step 3/3, RUN echo no such library >&2; exit 7, ended with the status 7: no such library")
            #expect(failure.status == 7)
            #expect(failure.step?.number == "3/3")
            #expect(failure.lastLines.contains("begun"))
            #expect(!failure.isTransient)
            #expect(try await world.node.image(of: ImageTag("step-1")) == nil)
        }
    }

    @Test("a file that COPY does not find, and an instruction that does not exist, are explained")
    func otherInstructions() async throws {
        try await BuildWorld.run { world in
            let copy = try await world.failure(of: world.specification("COPY nothing /x"))
            #expect(copy.sentence.hasPrefix("Step 2/2, COPY nothing /x, failed: "))
            #expect(copy.sentence.hasSuffix("no such file or directory."))
            let unknown = try await world.failure(of: world.specification("FETCH nothing /x"))
            #expect(unknown.kind == .containerfile)
            #expect(unknown.sentence == "\"FETCH nothing /x\" in step 2/2 is no instruction of a Containerfile.")
        }
    }

    @Test("a base that is gone is tried once more, and a registry that is down is tried later")
    func bases() async throws {
        try await BuildWorld.run { world in
            var specification = try world.specification("")
            specification.containerfile = "FROM \(world.registry.host)/base:absent\nRUN true\n"
            let gone = try await world.failure(of: specification)
            #expect(gone.sentence == "The image \(world.registry.host)/base:absent is not in its registry.")
            #expect(gone.retry == .once)
            let down = try RegistryHost("127.0.0.1:\(UnusedPort.find())")
            specification.containerfile = "FROM \(down)/base:1\nRUN true\n"
            let refused = try await world.failure(of: specification)
            #expect(refused.sentence == "The registry \(down) does not answer: connection refused.")
            #expect(refused.retry == .later)
        }
    }

    @Test("an image stays on the node when its registry is down, and is pushed later without another build")
    func push() async throws {
        try await BuildWorld.run { world in
            let specification = try world.specification("RUN touch /made")
            let built = try await world.node.build(specification) { _ in }
            let down = try RegistryHost("127.0.0.1:\(UnusedPort.find())")
            let failure = try await #require(
                #expect(throws: NodeFailure.self) {
                    try await world.node.push(specification.step, to: PushTarget(ImageRepository(host: down, path: "app"), tag: .latest)) {
                        _ in
                    }
                })
            #expect(failure.sentence == "The registry \(down) does not answer: connection refused.")
            #expect(failure.isTransient)
            #expect(try await world.node.image(of: specification.step) == built.image)
            _ = try await world.node.push(specification.step, to: world.target("team/late:1")) { _ in }
            try await world.node.remove(specification.step)
            #expect(try await world.node.image(of: specification.step) == nil)
            try await world.node.remove(specification.step)
            let again = await #expect(throws: NodeFailure.self) {
                try await world.node.push(specification.step, to: world.target("team/late:1")) { _ in }
            }
            #expect(again?.sentence == "The image of the step is no longer on the node.")
        }
    }

    @Test("an image that a killed builder has left half made hides no other image, and the sweeper removes it")
    func halfMade() async throws {
        try await BuildWorld.run { world in
            let kept = try world.specification("RUN touch /kept", step: "kept")
            let built = try await world.node.build(kept) { _ in }
            let broken = try await world.node.build(world.specification("RUN touch /broken", step: "broken")) { _ in }
            // The builder gives an image its manifest and its name last.
            let directory = world.directory.pushing("node/images/overlay-images")
            let file = URL(filePath: directory.appending("images.json").string)
            var images = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [[String: Any]])
            let index = try #require(images.firstIndex { $0["id"] as? String == broken.image.hex })
            images[index]["names"] = nil
            images[index]["big-data-names"] = [broken.image.description]
            try JSONSerialization.data(withJSONObject: images).write(to: file)
            try FileManager.default.removeItem(atPath: directory.appending(broken.image.hex).appending("manifest").string)

            #expect(try await world.node.image(of: kept.step) == built.image)
            #expect(try await Sweeper(world.node).sweep(leased: [kept.step]).images == 1)
            #expect(!(try String(contentsOf: file, encoding: .utf8)).contains(broken.image.hex))
            #expect(try await world.node.image(of: kept.step) == built.image)
        }
    }

    @Test("layers that a killed builder has left without an image are removed when the disk is nearly full, and the next build works")
    func layersWithoutImage() async throws {
        try await BuildWorld.run { world in
            _ = try await world.node.build(world.specification("RUN touch /broken", step: "broken")) { _ in }
            let images = world.directory.pushing("node/images")
            let file = images.pushing("overlay-images/images.json").string
            // The builder adds layers before their image.
            try "[]".write(toFile: file, atomically: true, encoding: .utf8)
            func layers() throws -> Int {
                guard let data = FileManager.default.contents(atPath: images.pushing("overlay-layers/layers.json").string) else { return 0 }
                return (try JSONSerialization.jsonObject(with: data) as? [Any])?.count ?? 0
            }
            _ = try await Sweeper(world.node).sweep(leased: [])
            #expect(try layers() == 2)
            _ = try await Sweeper(world.node).sweep(leased: [], bases: true)
            #expect(try layers() == 0)
            let next = try world.specification("RUN touch /made", step: "next")
            _ = try await world.build(next)
            #expect(try await world.node.image(of: next.step) != nil)
        }
    }

    @Test("a build ends at its limits of time and log, and says which")
    func limits() async throws {
        try await BuildWorld.run { world in
            let mark = ProcessMark()
            let late = try await world.failure(
                of: world.specification("RUN sleep \(mark.duration)", limits: BuildLimits(time: .seconds(4))))
            // On a busy host the time may be over before the base is there.
            #expect(late.sentence.hasPrefix("The build exceeded its time limit of 4 seconds"))
            #expect(late.kind == .timeLimit)
            try await mark.expectGone()
            let long = try await world.failure(
                of: world.specification("RUN while :; do echo chatter \(mark.duration); done", limits: BuildLimits(logBytes: 10_000)))
            #expect(long.sentence == "The build printed more than 10000 bytes, and was ended.")
            #expect(!long.isTransient)
        }
    }

    @Test("a build ends at its limit of memory, where control groups are delegated")
    func memory() async throws {
        try await BuildWorld.run { world in
            let limits = BuildLimits(memoryBytes: 100 << 20, processors: 1.5)
            let isConfined = try await world.node.build(world.specification("RUN true", limits: limits)) { _ in }.isConfined
            let failure = try await world.failure(
                of: world.specification("RUN dd if=/dev/zero of=/dev/null bs=300M count=1; exit 9", limits: limits))
            if isConfined {
                #expect(failure.sentence == "The build used more than its memory limit of 100 MiB.")
            } else {
                #expect(failure.status == 9)
            }
        }
    }

    @Test("a build ends at its limit of processes, where control groups are delegated, and says so")
    func processes() async throws {
        try await BuildWorld.run { world in
            let mark = ProcessMark()
            let limits = BuildLimits(processes: 100)
            let isConfined = try await world.node.build(world.specification("RUN true", limits: limits)) { _ in }.isConfined
            let failure = try await world.failure(
                of: world.specification(
                    "RUN n=0; while [ $n -lt 200 ]; do sleep \(mark.duration) & n=$((n+1)); done; exit 9", limits: limits))
            if isConfined {
                #expect(failure.sentence.hasPrefix("The build used its limit of 100 processes. Step 2/2, "))
                #expect(failure.status != 9)
            } else {
                #expect(failure.status == 9)
            }
            try await mark.expectGone()
        }
    }

    @Test("a full disk is named, and leaves no image behind", .enabled(if: geteuid() == 0, "Only root can mount a small disk."))
    func diskFull() async throws {
        let disk = try BuildWorld.makeDirectory()
        try #require(mount("tmpfs", disk.string, "tmpfs", 0, "size=40m") == 0)
        defer {
            umount2(disk.string, CInt(MNT_DETACH))
            rmdir(disk.string)
        }
        try await BuildWorld.run(on: disk.appending("node")) { world in
            let failure = try await world.failure(of: world.specification("RUN head -c 60000000 /dev/zero >/large"))
            #expect(failure.sentence == "The disk of the node is full. Remove images from it, or give it more space.")
            #expect(failure.retry == .later)
            _ = try await world.build(world.specification("RUN touch /small"))
        }
    }

    @Test(
        "a RUN that fills the disk is ended before the disk is full", .enabled(if: geteuid() == 0, "Only root can mount a small disk."))
    func diskNearlyFull() async throws {
        let disk = try BuildWorld.makeDirectory()
        try #require(mount("tmpfs", disk.string, "tmpfs", 0, "size=80m") == 0)
        defer {
            umount2(disk.string, CInt(MNT_DETACH))
            rmdir(disk.string)
        }
        try await BuildWorld.run(on: disk.appending("node")) { world in
            let mark = ProcessMark()
            let failure = try await world.failure(
                of: world.specification(
                    "RUN head -c 45000000 /dev/zero >/large; sleep \(mark.duration)", limits: BuildLimits(leastFreeBytes: 32 << 20)))
            #expect(failure.kind == .diskFull)
            #expect(failure.retry == .later)
            #expect(failure.sentence.hasPrefix("The build was ended in step 2/2, RUN head -c 45000000 /dev/zero >/large; sleep "))
            #expect(failure.sentence.contains(", because the disk of the node local has only "))
            #expect(failure.sentence.hasSuffix(" MB left. 32 MB must stay free. Give the disk more space, or write less to it."))
            try await mark.expectGone()
            _ = try await world.build(world.specification("RUN touch /small", limits: BuildLimits(leastFreeBytes: 1 << 20)))
        }
    }

    @Test("the node keeps a cache for the next build with the same name, no other build sees it, and no layer has its files")
    func caches() async throws {
        try await BuildWorld.run { world in
            let mount = "--mount=type=cache,id=ccache,target=/var/ccache"
            var specification = try world.specification(
                "RUN \(mount) { while read -r line; do echo found $line; done; } </var/ccache/file; echo kept >>/var/ccache/file; touch /made"
            )
            specification.cacheDirectory = "7-linux-amd64"
            #expect(try await world.build(specification).filter { $0 == "found kept" } == [])
            #expect(try await world.build(specification).filter { $0 == "found kept" }.count == 1)
            let target = try world.target("team/cached:1")
            _ = try await world.node.push(specification.step, to: target) { _ in }
            let last = try #require(try await world.layers(of: target).last)
            #expect(last.contains { $0.hasSuffix(" made") })
            #expect(!last.contains { $0.contains("ccache/") && $0.hasSuffix("file") })
            specification.cacheDirectory = "8-linux-amd64"
            #expect(try await world.build(specification).filter { $0 == "found kept" } == [])
            specification.cacheDirectory = nil
            #expect(try await world.build(specification).filter { $0 == "found kept" } == [])
            // Caches stay until the disk is nearly full.
            #expect(try await Sweeper(world.node).sweep(leased: [specification.step]).directories == 0)
            #expect(try await Sweeper(world.node).sweep(leased: [specification.step], bases: true).directories == 2)
        }
    }

    @Test("a build that needs more disk or memory than the node has does not begin, and says how much there is")
    func needs() async throws {
        try await BuildWorld.run { world in
            var specification = try world.specification("RUN touch /made")
            specification.needs = BuildNeeds(diskBytes: 1 << 60)
            let disk = try await world.failure(of: specification)
            #expect(disk.kind == .diskFull)
            #expect(disk.retry == .later)
            #expect(disk.sentence.hasPrefix("The image needs \((1 << 60) >> 20) MB of free disk space, and the node local has "))
            specification.needs = BuildNeeds(memoryBytes: 2 << 30)
            specification.limits.memoryBytes = 1 << 30
            let memory = try await world.failure(of: specification)
            #expect(memory.kind == .memoryMissing)
            #expect(memory.retry == .later)
            #expect(memory.sentence == "The image needs 2048 MB of memory, and the node local is smaller: a build gets 1024 MB.")
            specification.limits.memoryBytes = nil
            specification.needs = BuildNeeds(diskBytes: 1, memoryBytes: 1)
            _ = try await world.build(specification)
        }
    }

    @Test("canceled, nothing of a build is left")
    func canceled() async throws {
        try await BuildWorld.run { world in
            let mark = ProcessMark()
            let specification = try world.specification(mark.instruction)
            let (signs, sign) = AsyncStream.makeStream(of: Void.self)
            let running = Task {
                // A build that fails ends the wait as well.
                defer { sign.finish() }
                return try await world.node.build(specification) { if mark.isSign($0) { sign.yield() } }
            }
            for await _ in signs { break }
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            try await mark.expectGone()
            let report = try await Sweeper(world.node).sweep(leased: [])
            #expect(report == Sweeper.Report())
        }
    }

    @Test("an image that a running build uses stays, and a later sweep removes it")
    func usedImage() async throws {
        try await BuildWorld.run { world in
            let used = try world.specification("RUN touch /used", step: "used")
            _ = try await world.build(used)
            let digest = try await world.node.push(used.step, to: world.target("used:1")) { _ in }
            let mark = ProcessMark()
            let specification = BuildSpecification(
                step: try ImageTag("user"), platform: .host,
                containerfile: "FROM \(world.registry.host)/used@\(digest)\n\(mark.instruction)\n", context: used.context)
            let (signs, sign) = AsyncStream.makeStream(of: Void.self)
            let running = Task {
                // A build that fails ends the wait as well.
                defer { sign.finish() }
                return try await world.node.build(specification) { if mark.isSign($0) { sign.yield() } }
            }
            for await _ in signs { break }
            #expect(try await Sweeper(world.node).sweep(leased: []).images == 0)
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            #expect(try await Sweeper(world.node).sweep(leased: []).images == 1)
            #expect(try await world.node.image(of: used.step) == nil)
        }
    }

    @Test("the sweeper removes a container whose making was killed")
    func halfMadeContainer() async throws {
        try await BuildWorld.run { world in
            let name = try await world.node.output(of: ["from", "scratch"]).trimmingCharacters(in: .whitespacesAndNewlines)
            let id = try await world.node.output(of: ["inspect", "--format", "{{.ContainerID}}", name])
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let storage = world.node.buildah.storage
            let state = storage.images.appending("\(storage.driver)-containers/\(id)/userdata/buildah.json")
            try FileManager.default.removeItem(atPath: state.string)
            #expect(try await Sweeper(world.node).sweep(leased: []).containers == 1)
            let again = try await Sweeper(world.node).sweep(leased: [])
            #expect(again == Sweeper.Report())
        }
    }

    @Test("kill -9 of the worker leaves no process, and the sweeper removes the rest")
    func killed() async throws {
        try await BuildWorld.run { world in
            let mark = ProcessMark()
            let kept = try world.specification("RUN touch /kept", step: "kept")
            let isConfined = try await world.node.build(kept) { _ in }.isConfined
            let specification = try world.specification("RUN true")
            let (directory, host, duration, context) = (
                world.directory.appending("node").string, world.registry.host.description, mark.duration, specification.context.string
            )
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [
                    directory = directory as String, host = host as String, duration = duration as String, context = context as String
                ] in
                let mark = ProcessMark(duration: duration)
                let node = try await BuildWorld.openNode(FilePath(directory), RegistryHost(host))
                let specification = BuildSpecification(
                    step: try ImageTag("step-1"), platform: .host, containerfile: "FROM \(host)/base:1\n\(mark.instruction)\n",
                    context: FilePath(context))
                // A build that fails ends this process with another status.
                _ = try await node.build(specification) { if mark.isSign($0) { kill(getpid(), SIGKILL) } }
            }
            let clock = ContinuousClock()
            let start = clock.now
            try await mark.expectGone()
            let report = try await Sweeper(world.node).sweep(leased: [kept.step])
            #expect(report.containers == 1)
            #expect(report.directories == 1)
            #expect(report.images == 0)
            // A process that is about to end keeps its group for another moment.
            var groups = report.groups
            while isConfined, groups == 0, clock.now - start < .seconds(60) {
                groups = try await Sweeper(world.node).sweep(leased: [kept.step]).groups
            }
            #expect(groups == (isConfined ? 1 : 0), "A group stays if process 1 of this machine does not collect ended processes.")
            #expect(try await world.node.image(of: kept.step) != nil)
            #expect(try await Sweeper(world.node).sweep(leased: []).images == 1)
            #expect(try await world.node.image(of: kept.step) == nil)
            // The storage is as good as before.
            _ = try await world.build(world.specification("RUN touch /made"))
        }
    }
}
