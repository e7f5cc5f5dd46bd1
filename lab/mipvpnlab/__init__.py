# SPDX-License-Identifier: BSD-3-Clause
"""The fast lab: a mobile IP network of network namespaces on this machine, with real daemons in it.

    settings    where things are, prefix, deadlines        capture     pcapng of every wire, by node
    wait        deadlines, log followers (inotify)         decode      questions to tshark
    netns       namespaces, veth, bridges, sysctl          vici        a small VICI client of our own
    topology    the nodes and wires of F1                  agents      mipvpn-agentd, mipvpnctl
    procs       daemons: start, record, end                mobile      mipvpn-mn
    certs       CA and certificates, made on the spot      report      ok/FAIL lines and their sum
    postgres    the AAAH's own cluster                     scene       a lab that stands, for a scenario
    diameter    freeDiameterd: AAAF, AAAH                  scenarios/  what is to be shown
    charon      strongSwan per node                        status      draws nodes and tunnels
"""
