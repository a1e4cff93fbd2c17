# S4, the guard against dispersion: no limit on actions, only on what one actor carries.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord,sud
	local -a actors=()
	for i in $(seq 20); do
		actors+=("actor new name=Atelier_$i category=company")
	done
	raw_push anim nord "" "${actors[@]}"
}

teardown_file() {
	server_stop
}

available() { # ACTOR HOURS [FLAG...]
	local actor=$1 hours=$2
	shift 2
	as anim availability add --territory nord --actor "$actor" --from 2026-01-01 --hours-month "$hours" "$@"
}

position() { # ACTOR ACTION STANCE [FLAG...]
	local actor=$1 action=$2 stance=$3
	shift 3
	as anim position add --territory nord --actor "$actor" --action "$action" --stance "$stance" "$@"
}

@test "T6: forty selected actions and nobody over: no warning at all" {
	local -a hours=() actions=() positions=()
	for i in $(seq 20); do
		hours+=("availability new actor_id=@A-$i from_on=2026-01-01 hours_month=40")
	done
	for i in $(seq 40); do
		actions+=("action new title=Action_$i status=selected")
		positions+=("position new actor_id=@A-$(((i - 1) % 20 + 1)) action_id=@P-$i stance=pilot"
			"position new actor_id=@A-$((i % 20 + 1)) action_id=@P-$i stance=contributor")
	done
	raw_push anim nord "" "${hours[@]}"
	for i in 0 20; do
		raw_push anim nord "jeu d'essai" "${actions[@]:i:20}"
	done
	for i in 0 20 40 60; do
		run raw_push anim nord "" "${positions[@]:i:20}"
		equal "applied : " "$output"
	done
	equal 0 "$(as anim load --territory nord --over --format jsonl | wc -l)"
}

@test "T6: one actor with ten hours a month pilots three actions: a warning on that actor only" {
	one=$(as anim actor add "Petit atelier" --territory nord --category company)
	other=$(as anim actor add "Grand atelier" --territory nord --category company)
	available "$one" 10
	available "$other" 100
	position "$one" P-1 pilot
	expect 9 "S4.*$one would give 16.0 of 10.0 hours" position "$one" P-2 pilot
	expect 9 "S4: $one would give" raw_push anim nord "" "position new actor_id=@$one action_id=@P-2 stance=pilot"
	expect 0 'S4' position "$one" P-2 pilot --reason "jusqu'au printemps"
	expect 0 '24.0 of 10.0.*\(S4\)' position "$one" P-3 pilot --reason "jusqu'au printemps"
	for i in 1 2 3 4 5; do
		run raw_push anim nord "" "position new actor_id=@$other action_id=@P-$i stance=contributor"
		equal "applied : " "$output"
	done
	equal "$one" "$(as anim load --territory nord --over --format jsonl | jq -r .ref | xargs)"
}

@test "a blackout leaves no hours, and a territory may refuse what others warn of" {
	busy=$(as anim actor add "Cabinet" --territory nord --category company)
	available "$busy" 10 --blackouts '[{"from_on":"2030-03-01","to_on":"2030-03-31","why":"comptes annuels"}]'
	expect 9 'S4.*8.0 of 0.0 hours in 2030-03' position "$busy" P-1 pilot --since 2030-03-01
	as anim territory edit nord --policy '{"load_mode":"refuse"}'
	expect 9 'S4.*this territory refuses' position "$busy" P-1 pilot --hours-month 12 --reason "insister"
	expect 9 'S4: .*this territory refuses' raw_push anim nord "insister" "position new actor_id=@$busy action_id=@P-1 stance=pilot hours_month=12"
	as anim territory edit nord --policy '{"load_mode":"warn"}'
	expect 0 'S4' position "$busy" P-1 pilot --hours-month 12 --reason "insister"
}

@test "hours given in another territory count, as a sum" {
	here=$(as anim actor add "Port" --territory nord --category company --siren 732829320)
	available "$here" 10
	as anim actor add "Port" --territory sud --category company --siren 732829320
	as anim action add "Ailleurs" --territory sud --status lead
	as anim position add --territory sud --actor A-1 --action P-1 --stance pilot --hours-month 7
	expect 9 'S4.*11.0 of 10.0 hours.*\(7.0 of them in other' position "$here" P-1 contributor
}
