import ImageModel
import Processes
import SystemPackage
import Testing

@testable import BuildNodes

@Suite("The text of a failure")
struct FailureTextTests {
    /// Returns the failure of a build that has printed these lines.
    private func failure(_ lines: [String], network: BuildNetwork = .none, status: CInt = 1) throws -> NodeFailure {
        let transcript = BuildTranscript()
        transcript.append(Array(lines.map { $0 + "\n" }.joined().utf8))
        transcript.finish()
        var specification = BuildSpecification(step: try ImageTag("step-1"), platform: .host, containerfile: "", context: "/")
        specification.network = network
        return FailureText(ending: .exited(status), transcript: transcript).failure(of: specification)
    }

    private let dnf = [
        "[2/2] STEP 3/4: RUN --mount=type=bind,from=odcs,source=/,target=/run/odcs dnf -y install app",
        "Error: Unable to find a match: app",
        "Error: building at STEP \"RUN --mount=type=bind,from=odcs,source=/,target=/run/odcs dnf -y install app\": while running runtime: exit status 1",
    ]

    @Test("dnf that finds nothing names both ways out, but only in a build without network")
    func packages() throws {
        let failure = try failure(dnf)
        #expect(failure.kind == .packagesNotFound)
        #expect(
            failure.sentence
                == "Step 3/4 of stage 2/2, RUN dnf -y install app, found no package: Error: Unable to find a match: app. "
                + "The build has no network. Set content: for this image, or network: host.")
        #expect(try self.failure(dnf, network: .host).kind == .instruction)
    }

    @Test("a registry that refuses, or does not speak TLS, is named and not tried again")
    func refusals() throws {
        let denied = try failure([
            "STEP 1/1: FROM r.example.org/app:1",
            "Error: creating build container: initializing source docker://r.example.org/app:1: reading manifest 1 in r.example.org/app: unauthorized: authentication required",
        ])
        #expect(denied.sentence == "The registry r.example.org/app:1 refuses access. Check the login for it.")
        #expect(denied.retry == .never)
        let plain = try failure([
            "STEP 1/1: FROM localhost:5000/app:1",
            "Error: creating build container: initializing source docker://localhost:5000/app:1: pinging container registry localhost:5000: Get \"https://localhost:5000/v2/\": http: server gave HTTP response to HTTPS client",
        ])
        #expect(
            plain.sentence
                == "The registry localhost:5000 does not speak TLS. If it may be used without, add it to images.insecure_registries. "
                + "A node of a farm needs that in the settings of its own engine, too.")
    }

    @Test("a node that has lost an image of a build may try again")
    func lostImage() throws {
        let failure = try failure([
            "STEP 1/2: FROM r.example.org/base:1",
            "Error: creating build container: locating pulled image \"r.example.org/base:1\" name in containers storage: r.example.org/base:1: image not known",
        ])
        #expect(failure.kind == .imageLost)
        #expect(failure.retry == .later)
    }

    @Test("an image of COPY that was removed after its pull is lost, and a name that nothing has is a mistake")
    func lostSource() throws {
        let lost = try failure([
            "STEP 2/5: COPY --from=r.example.org/tool@sha256:870c /  /", "Storing signatures",
            "Error: COPY --from=r.example.org/tool@sha256:870c: no stage or image found with that name",
        ])
        #expect(lost.kind == .imageLost)
        let wrong = try failure(["STEP 2/5: COPY --from=tool / /", "Error: COPY --from=tool: no stage or image found with that name"])
        #expect(wrong.kind == .containerfile)
    }

    @Test("the words of an instruction are not taken for a failure of a registry or of the host")
    func wordsOfInstructions() throws {
        for words in ["grep denied log", "wait-for --until 'connection refused'", "echo \"manifest unknown\": exec format error"] {
            let failure = try failure([
                "STEP 2/2: RUN \(words)", "no match",
                "Error: building at STEP \"RUN \(words)\": while running runtime: exit status 1",
            ])
            #expect(failure.sentence == "Step 2/2, RUN \(words), ended with the status 1: no match")
            #expect(failure.retry == .never)
        }
        let copied = try failure([
            "STEP 2/2: COPY --from=r.example.org/tools:1 denied /bin",
            "Error: building at STEP \"COPY --from=r.example.org/tools:1 denied /bin\": initializing source docker://r.example.org/tools:1: reading manifest 1 in r.example.org/tools: manifest unknown",
        ])
        #expect(copied.sentence == "The image r.example.org/tools:1 is not in its registry.")
    }

    @Test("the words of a program come before the warnings that runc of a plain user prints after it, and its own warnings count")
    func runtimeWarnings() throws {
        let time = #"time="2026-12-01T14:31:33Z" level=warning msg="#
        let runc = [
            #"\#(time)"cannot toggle freezer: cgroups not configured for container""#, #"\#(time)"lstat : no such file or directory""#, "",
            "Error: building at STEP \"RUN make\": while running runtime: exit status 3",
        ]
        #expect(try failure(["STEP 2/2: RUN make", "no rule"] + runc).sentence == "Step 2/2, RUN make, ended with the status 3: no rule")
        #expect(try failure(["STEP 2/2: RUN make"] + runc).sentence == "Step 2/2, RUN make, ended with the status 3.")
        let own = #"\#(time)"no rule for x""#
        #expect(try failure(["STEP 2/2: RUN make", own] + runc).sentence == "Step 2/2, RUN make, ended with the status 3: \(own)")
    }

    @Test("the texts of docker name the step and the status too")
    func docker() throws {
        for words in ["make", "grep denied log", "echo 'connection refused' here"] {
            let failure = try failure([
                "Step 2/3 : RUN \(words)", " ---> Running in ebdb93b82c42", "no match", "Removing intermediate container ebdb93b82c42",
                "Error: The command '/bin/sh -c \(words)' returned a non-zero code: 2",
            ])
            #expect(failure.kind == .instruction && failure.status == 2)
            #expect(failure.sentence == "Step 2/3, RUN \(words), ended with the status 2: no match")
        }
        let copied = try failure([
            "Step 2/3 : COPY absent /",
            "Error: COPY failed: file not found in build context or excluded by .dockerignore: stat absent: file does not exist",
        ])
        #expect(copied.kind == .instruction)
        #expect(
            copied.sentence
                == "Step 2/3, COPY absent /, failed: COPY failed: file not found in build context or excluded by .dockerignore: stat absent: "
                + "file does not exist.")
    }

    @Test(
        "a program that does not exist is named",
        arguments: [
            (
                [
                    #"error running container: from /usr/bin/runc creating container for [/tool]: time="2026-12-01T03:27:38Z" level=warning msg="unable to get oom kill count" error="no directory specified for memory.oom_control""#,
                    #"time="2026-12-01T03:27:38Z" level=error msg="runc create failed: unable to start container process: exec: \"/tool\": stat /tool: no such file or directory""#,
                    ": exit status 1",
                ], #"exec: "/tool": stat /tool: no such file or directory"#
            ),
            (
                [
                    "error running container: from /usr/bin/crun creating container for [/tool]: executable file `/tool` not found: No such file or directory",
                    ": exit status 1",
                ], "executable file `/tool` not found: No such file or directory"
            ),
        ])
    func absentProgram(lines: [String], reason: String) throws {
        let failure = try failure(
            [#"STEP 2/4: RUN ["/tool"]"#] + lines + [#"Error: building at STEP "RUN /tool": while running runtime: exit status 1"#])
        #expect(failure.kind == .instruction && failure.status == 1)
        #expect(failure.sentence == #"Step 2/4, RUN ["/tool"], could not be started: \#(reason)."#)
    }

    @Test("a program of another architecture in an image of the host's own is no missing emulator")
    func foreignProgram() throws {
        let failure = try failure([
            "STEP 2/2: RUN /opt/tool", "/bin/sh: 1: /opt/tool: Exec format error", "exec format error",
            "Error: building at STEP \"RUN /opt/tool\": while running runtime: exit status 126",
        ])
        #expect(failure.kind == .instruction)
    }

    @Test("characters that control a terminal do not get into the sentence")
    func controls() throws {
        let failure = try failure(
            ["STEP 1/1: RUN x", "\u{1B}]0;title\u{07}bad", "Error: building at STEP \"RUN x\": while running runtime: exit status 3"],
            status: 3)
        #expect(failure.sentence == "Step 1/1, RUN x, ended with the status 3: ]0;titlebad")
    }

    @Test("a step is read with its stage, and other lines are none")
    func steps() {
        let step = ContainerfileStep(line: "[1/2] STEP 2/7: RUN --mount=type=tmpfs,target=/x make")
        #expect(step?.description == "step 2/7 of stage 1/2, RUN make")
        for line in ["STEP x: RUN", "a STEP 1/2: RUN", "STEP 1/2", "[1/2"] { #expect(ContainerfileStep(line: line) == nil) }
    }
}
